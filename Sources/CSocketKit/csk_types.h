// Own copies of the kernel's structures and numbers, so that a build machine with old headers loses no feature.
// Sources: include/uapi/linux/{in.h,in6.h,un.h,socket.h,tcp.h,eventpoll.h,stat.h}, include/linux/socket.h.
#ifndef CSK_TYPES_H
#define CSK_TYPES_H

#include "csk_syscall.h"

// Error numbers, under names that import as plain constants.
#define CSK_EPERM 1
#define CSK_ENOENT 2
#define CSK_EINTR 4
#define CSK_EBADF 9
#define CSK_EAGAIN 11
#define CSK_ENOMEM 12
#define CSK_EACCES 13
#define CSK_EEXIST 17
#define CSK_ENODEV 19
#define CSK_EINVAL 22
#define CSK_ENFILE 23
#define CSK_EMFILE 24
#define CSK_EPIPE 32
#define CSK_ERANGE 34
#define CSK_ENOSYS 38
#define CSK_EPROTO 71
#define CSK_ENOTSOCK 88
#define CSK_EPROTOTYPE 91
#define CSK_ENOPROTOOPT 92
#define CSK_EPROTONOSUPPORT 93
#define CSK_EOPNOTSUPP 95
#define CSK_EAFNOSUPPORT 97
#define CSK_EADDRINUSE 98
#define CSK_EADDRNOTAVAIL 99
#define CSK_ENETDOWN 100
#define CSK_ENETUNREACH 101
#define CSK_ENETRESET 102
#define CSK_ECONNABORTED 103
#define CSK_ECONNRESET 104
#define CSK_ENOBUFS 105
#define CSK_ENODATA 61
#define CSK_ETOOMANYREFS 109
#define CSK_EISCONN 106
#define CSK_ENOTCONN 107
#define CSK_ETIMEDOUT 110
#define CSK_ECONNREFUSED 111
#define CSK_EHOSTDOWN 112
#define CSK_EHOSTUNREACH 113
#define CSK_EALREADY 114
#define CSK_EINPROGRESS 115
_Static_assert(EAGAIN == CSK_EAGAIN && ECONNREFUSED == CSK_ECONNREFUSED && EINPROGRESS == CSK_EINPROGRESS,
               "this CPU numbers its errors differently");

#define CSK_AF_UNSPEC 0
#define CSK_AF_UNIX 1
#define CSK_AF_INET 2
#define CSK_AF_INET6 10
#define CSK_AF_VSOCK 40

#define CSK_SOCK_STREAM 1
#define CSK_SOCK_DGRAM 2
#define CSK_SOCK_SEQPACKET 5
#define CSK_SOCK_NONBLOCK 04000
#define CSK_SOCK_CLOEXEC 02000000

#define CSK_IPPROTO_IP 0
#define CSK_IPPROTO_TCP 6
#define CSK_IPPROTO_UDP 17
#define CSK_IPPROTO_IPV6 41

#define CSK_MSG_PEEK 0x2
#define CSK_MSG_CTRUNC 0x8
#define CSK_MSG_TRUNC 0x20
#define CSK_MSG_DONTWAIT 0x40
#define CSK_MSG_EOR 0x80
#define CSK_MSG_NOSIGNAL 0x4000
#define CSK_MSG_CMSG_CLOEXEC 0x40000000

#define CSK_MSG_MORE 0x8000
#define CSK_MSG_ERRQUEUE 0x2000
#define CSK_MSG_ZEROCOPY 0x4000000

#define CSK_SCM_RIGHTS 1
#define CSK_SCM_CREDENTIALS 2
#define CSK_SCM_PIDFD 4

#define CSK_SHUT_RD 0
#define CSK_SHUT_WR 1
#define CSK_SHUT_RDWR 2

#define CSK_SOL_SOCKET 1
#define CSK_SO_REUSEADDR 2
#define CSK_SO_TYPE 3
#define CSK_SO_ERROR 4
#define CSK_SO_BROADCAST 6
#define CSK_SO_SNDBUF 7
#define CSK_SO_RCVBUF 8
#define CSK_SO_KEEPALIVE 9
#define CSK_SO_PRIORITY 12
#define CSK_SO_PASSCRED 16
#define CSK_SO_PEERCRED 17
#define CSK_SO_ATTACH_FILTER 26
#define CSK_SO_DETACH_FILTER 27
#define CSK_SO_RXQ_OVFL 40
#define CSK_SO_PEERGROUPS 59
#define CSK_SO_ZEROCOPY 60
#define CSK_SO_PASSPIDFD 76
#define CSK_SO_PEERPIDFD 77
#define CSK_SO_LINGER 13
#define CSK_SO_REUSEPORT 15
#define CSK_SO_RCVLOWAT 18
#define CSK_SO_SNDTIMEO 21
#define CSK_SO_BINDTODEVICE 25
#define CSK_SO_TIMESTAMP 29
#define CSK_SO_ACCEPTCONN 30
#define CSK_SO_SNDBUFFORCE 32
#define CSK_SO_RCVBUFFORCE 33
#define CSK_SO_TIMESTAMPNS 35
#define CSK_SO_MARK 36
#define CSK_SO_TIMESTAMPING 37
#define CSK_SO_PROTOCOL 38
#define CSK_SO_DOMAIN 39
#define CSK_SO_BUSY_POLL 46
#define CSK_SO_INCOMING_CPU 49
#define CSK_SO_PREFER_BUSY_POLL 69
#define CSK_SO_BUSY_POLL_BUDGET 70

#define CSK_TCP_NODELAY 1
#define CSK_TCP_MAXSEG 2
#define CSK_TCP_CORK 3
#define CSK_TCP_KEEPIDLE 4
#define CSK_TCP_KEEPINTVL 5
#define CSK_TCP_KEEPCNT 6
#define CSK_TCP_SYNCNT 7
#define CSK_TCP_DEFER_ACCEPT 9
#define CSK_TCP_INFO 11
#define CSK_TCP_QUICKACK 12
#define CSK_TCP_CONGESTION 13
#define CSK_TCP_USER_TIMEOUT 18
#define CSK_TCP_FASTOPEN 23
#define CSK_TCP_NOTSENT_LOWAT 25
#define CSK_TCP_FASTOPEN_CONNECT 30

#define CSK_IP_TOS 1
#define CSK_IP_TTL 2
#define CSK_IP_HDRINCL 3
#define CSK_IP_PKTINFO 8
#define CSK_IP_MTU_DISCOVER 10
#define CSK_IP_RECVERR 11
#define CSK_IP_RECVTTL 12
#define CSK_IP_RECVTOS 13
#define CSK_IP_MTU 14
#define CSK_IP_MULTICAST_IF 32
#define CSK_IP_MULTICAST_TTL 33
#define CSK_IP_MULTICAST_LOOP 34
#define CSK_IP_ADD_MEMBERSHIP 35
#define CSK_IP_DROP_MEMBERSHIP 36
#define CSK_IP_ADD_SOURCE_MEMBERSHIP 39
#define CSK_IP_DROP_SOURCE_MEMBERSHIP 40
#define CSK_IP_MULTICAST_ALL 49
#define CSK_MCAST_JOIN_GROUP 42
#define CSK_MCAST_LEAVE_GROUP 45
#define CSK_MCAST_JOIN_SOURCE_GROUP 46
#define CSK_MCAST_LEAVE_SOURCE_GROUP 47
#define CSK_IPV6_MULTICAST_IF 17
#define CSK_IPV6_MULTICAST_HOPS 18
#define CSK_IPV6_MULTICAST_LOOP 19
#define CSK_IPV6_MTU_DISCOVER 23
#define CSK_IPV6_MTU 24
#define CSK_IPV6_RECVERR 25
#define CSK_IPV6_MULTICAST_ALL 29
#define CSK_IPV6_RECVPKTINFO 49
#define CSK_IPV6_PKTINFO 50
#define CSK_IPV6_RECVHOPLIMIT 51
#define CSK_IPV6_HOPLIMIT 52
#define CSK_IPV6_RECVTCLASS 66
#define CSK_UDP_CORK 1
#define CSK_UDP_SEGMENT 103
#define CSK_UDP_GRO 104
#define CSK_IP_FREEBIND 15
#define CSK_IP_TRANSPARENT 19
#define CSK_IPV6_UNICAST_HOPS 16
#define CSK_IPV6_V6ONLY 26
#define CSK_IPV6_TCLASS 67

/// struct timespec as the kernel's own calls of this CPU read it.
struct csk_timespec {
  long tv_sec;
  long tv_nsec;
};

/// struct iovec.
struct csk_iovec {
  void *base;
  size_t length;
};

/// struct msghdr as the kernel lays it out (user_msghdr).
struct csk_msghdr {
  void *name;
  int name_length;
  struct csk_iovec *vectors;
  size_t vector_count;
  void *control;
  size_t control_length;
  unsigned int flags;
};

/// struct mmsghdr of recvmmsg(2).
struct csk_mmsghdr {
  struct csk_msghdr message;
  unsigned int length;
};

/// struct cmsghdr; its data follows, and the next header at a multiple of sizeof(size_t).
struct csk_cmsghdr {
  size_t length;
  int level;
  int type;
};

struct csk_linger {
  int32_t on;
  int32_t seconds;
};

struct csk_timeval {
  long tv_sec;
  long tv_usec;
};

#endif
