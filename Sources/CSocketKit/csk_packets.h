// Numbers of packet options and control messages that are not in csk_types.h: asm-generic/socket.h, linux/in.h,
// linux/in6.h, linux/netfilter_ipv4.h, linux/net_tstamp.h, linux/vm_sockets.h.
#ifndef CSK_PACKETS_H
#define CSK_PACKETS_H

#include "csk_types.h"

#define CSK_SO_MAX_PACING_RATE 47
#define CSK_SO_COOKIE 57
#define CSK_SO_TXTIME 61
#define CSK_SOF_TXTIME_DEADLINE_MODE 1
#define CSK_SOF_TXTIME_REPORT_ERRORS 2

#define CSK_IP_ORIGDSTADDR 20
#define CSK_IPV6_ORIGDSTADDR 74
/// SO_ORIGINAL_DST at level IPPROTO_IP, IP6T_SO_ORIGINAL_DST at level IPPROTO_IPV6.
#define CSK_SO_ORIGINAL_DST 80
#define CSK_IPV6_RECVPATHMTU 60
#define CSK_IPV6_PATHMTU 61
#define CSK_IPV6_DONTFRAG 62

/// SOL_VSOCK and VSOCK_RECVERR: the control message of a vsock socket's error queue.
#define CSK_SOL_VSOCK 287
#define CSK_VSOCK_RECVERR 1

/// struct sock_txtime.
struct csk_transmit_time {
  int32_t clock;
  uint32_t flags;
};

#endif
