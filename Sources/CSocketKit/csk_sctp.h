// SCTP socket options: numbers and structures of include/uapi/linux/sctp.h, RFC 6458 chapters 7 to 9. No libsctp.
#ifndef CSK_SCTP_H
#define CSK_SCTP_H

#include "csk_types.h"

#define CSK_IPPROTO_SCTP 132

// Options of level IPPROTO_SCTP.
#define CSK_SCTP_RTOINFO 0
#define CSK_SCTP_ASSOCINFO 1
#define CSK_SCTP_INITMSG 2
#define CSK_SCTP_NODELAY 3
#define CSK_SCTP_AUTOCLOSE 4
#define CSK_SCTP_SET_PEER_PRIMARY_ADDR 5
#define CSK_SCTP_PRIMARY_ADDR 6
#define CSK_SCTP_ADAPTATION_LAYER 7
#define CSK_SCTP_DISABLE_FRAGMENTS 8
#define CSK_SCTP_PEER_ADDR_PARAMS 9
#define CSK_SCTP_I_WANT_MAPPED_V4_ADDR 12
#define CSK_SCTP_MAXSEG 13
#define CSK_SCTP_STATUS 14
#define CSK_SCTP_GET_PEER_ADDR_INFO 15
#define CSK_SCTP_DELAYED_SACK 16
#define CSK_SCTP_CONTEXT 17
#define CSK_SCTP_FRAGMENT_INTERLEAVE 18
#define CSK_SCTP_PARTIAL_DELIVERY_POINT 19
#define CSK_SCTP_MAX_BURST 20
#define CSK_SCTP_GET_ASSOC_NUMBER 28
#define CSK_SCTP_GET_ASSOC_ID_LIST 29
#define CSK_SCTP_AUTO_ASCONF 30
#define CSK_SCTP_PEER_ADDR_THLDS 31
#define CSK_SCTP_RECVRCVINFO 32
#define CSK_SCTP_RECVNXTINFO 33
#define CSK_SCTP_DEFAULT_SNDINFO 34
#define CSK_SCTP_REUSE_PORT 36
#define CSK_SCTP_PEER_ADDR_THLDS_V2 37
#define CSK_SCTP_BINDX_ADD 100
#define CSK_SCTP_BINDX_REM 101
#define CSK_SCTP_PEELOFF 102
#define CSK_SCTP_GET_PEER_ADDRS 108
#define CSK_SCTP_GET_LOCAL_ADDRS 109
#define CSK_SCTP_CONNECTX 110
#define CSK_SCTP_CONNECTX3 111
#define CSK_SCTP_GET_ASSOC_STATS 112
#define CSK_SCTP_PR_SUPPORTED 113
#define CSK_SCTP_DEFAULT_PRINFO 114
#define CSK_SCTP_PR_ASSOC_STATUS 115
#define CSK_SCTP_PR_STREAM_STATUS 116
#define CSK_SCTP_RECONFIG_SUPPORTED 117
#define CSK_SCTP_ENABLE_STREAM_RESET 118
#define CSK_SCTP_RESET_STREAMS 119
#define CSK_SCTP_RESET_ASSOC 120
#define CSK_SCTP_ADD_STREAMS 121
#define CSK_SCTP_PEELOFF_FLAGS 122
#define CSK_SCTP_STREAM_SCHEDULER 123
#define CSK_SCTP_STREAM_SCHEDULER_VALUE 124
#define CSK_SCTP_INTERLEAVING_SUPPORTED 125
#define CSK_SCTP_EVENT 127
#define CSK_SCTP_ASCONF_SUPPORTED 128
#define CSK_SCTP_AUTH_SUPPORTED 129
#define CSK_SCTP_ECN_SUPPORTED 130
#define CSK_SCTP_EXPOSE_PF_STATE 131
#define CSK_SCTP_REMOTE_UDP_ENCAPS_PORT 132
#define CSK_SCTP_PLPMTUD_PROBE_INTERVAL 133

// Which association an option means: any other number is one association of a one-to-many socket.
#define CSK_SCTP_FUTURE_ASSOC 0
#define CSK_SCTP_CURRENT_ASSOC 1
#define CSK_SCTP_ALL_ASSOC 2

// spp_flags
#define CSK_SPP_HB_ENABLE 0x1
#define CSK_SPP_HB_DISABLE 0x2
#define CSK_SPP_HB_DEMAND 0x4
#define CSK_SPP_PMTUD_ENABLE 0x8
#define CSK_SPP_PMTUD_DISABLE 0x10
#define CSK_SPP_SACKDELAY_ENABLE 0x20
#define CSK_SPP_SACKDELAY_DISABLE 0x40
#define CSK_SPP_HB_TIME_IS_ZERO 0x80
#define CSK_SPP_IPV6_FLOWLABEL 0x100
#define CSK_SPP_DSCP 0x200

// srs_flags
#define CSK_SCTP_STREAM_RESET_INCOMING 1
#define CSK_SCTP_STREAM_RESET_OUTGOING 2

/// A sockaddr_storage inside a structure that the kernel packs to words.
struct csk_sctp_address {
  uint8_t bytes[128];
};
/// The same where the kernel does not pack: aligned as a long.
struct csk_sctp_aligned_address {
  uint8_t bytes[128];
} __attribute__((aligned(sizeof(long))));

struct csk_sctp_initmsg {
  uint16_t outgoing_streams;
  uint16_t incoming_streams;
  uint16_t attempts;
  uint16_t timeout;
};

struct csk_sctp_rtoinfo {
  int32_t association;
  uint32_t initial;
  uint32_t maximum;
  uint32_t minimum;
};

struct csk_sctp_assocparams {
  int32_t association;
  uint16_t retransmissions;
  uint16_t peer_destinations;
  uint32_t peer_window;
  uint32_t local_window;
  uint32_t cookie_life;
};

/// sctp_setpeerprim and sctp_prim.
struct csk_sctp_association_address {
  int32_t association;
  struct csk_sctp_address address;
};

struct csk_sctp_paddrparams {
  int32_t association;
  struct csk_sctp_address address;
  uint32_t heartbeat_interval;
  uint16_t retransmissions;
  uint8_t path_mtu[4];  // from here on the kernel's own is packed: words at odd multiples of 2
  uint8_t sack_delay[4];
  uint8_t flags[4];
  uint8_t flow_label[4];
  uint8_t traffic_class;
  uint8_t padding;
};

struct csk_sctp_sack_info {
  int32_t association;
  uint32_t delay;
  uint32_t frequency;
};

struct csk_sctp_assoc_value {
  int32_t association;
  uint32_t value;
};

struct csk_sctp_stream_value {
  int32_t association;
  uint16_t stream;
  uint16_t value;
};

struct csk_sctp_paddrinfo {
  int32_t association;
  struct csk_sctp_address address;
  int32_t state;
  uint32_t congestion_window;
  uint32_t smoothed_round_trip;
  uint32_t retransmission_timeout;
  uint32_t mtu;
};

struct csk_sctp_status {
  int32_t association;
  int32_t state;
  uint32_t peer_window;
  uint16_t unacknowledged;
  uint16_t pending;
  uint16_t incoming_streams;
  uint16_t outgoing_streams;
  uint32_t fragmentation_point;
  struct csk_sctp_paddrinfo primary;
};

struct csk_sctp_paddrthlds_v2 {
  int32_t association;
  struct csk_sctp_aligned_address address;
  uint16_t retransmissions;
  uint16_t potentially_failed;
  uint16_t primary_change;
};

struct csk_sctp_assoc_stats {
  int32_t association;
  struct csk_sctp_aligned_address maximum_timeout_address;
  uint64_t maximum_timeout;
  uint64_t sacks_received;
  uint64_t sacks_sent;
  uint64_t packets_sent;
  uint64_t packets_received;
  uint64_t retransmitted_chunks;
  uint64_t out_of_sequence;
  uint64_t duplicate_chunks;
  uint64_t gap_acknowledgements;
  uint64_t unordered_chunks_sent;
  uint64_t unordered_chunks_received;
  uint64_t ordered_chunks_sent;
  uint64_t ordered_chunks_received;
  uint64_t control_chunks_sent;
  uint64_t control_chunks_received;
};

/// What GET_PEER_ADDRS and GET_LOCAL_ADDRS begin with; packed sockaddr structures follow.
struct csk_sctp_getaddrs {
  int32_t association;
  uint32_t count;
};

/// The argument of CONNECTX3, which is read by getsockopt: `byte_count` is the length of the packed addresses.
struct csk_sctp_connectx {
  int32_t association;
  int32_t byte_count;
  const void *addresses;
};

struct csk_sctp_peeloff {
  int32_t association;
  int32_t descriptor;
};
struct csk_sctp_peeloff_flags {
  struct csk_sctp_peeloff argument;
  uint32_t flags;
};

/// PR_ASSOC_STATUS and PR_STREAM_STATUS.
struct csk_sctp_prstatus {
  int32_t association;
  uint16_t stream;
  uint16_t policy;
  uint64_t abandoned_unsent;
  uint64_t abandoned_sent;
};

struct csk_sctp_default_prinfo {
  int32_t association;
  uint32_t value;
  uint16_t policy;
};

/// What RESET_STREAMS begins with; stream numbers follow.
struct csk_sctp_reset_streams {
  int32_t association;
  uint16_t flags;
  uint16_t count;
};

struct csk_sctp_add_streams {
  int32_t association;
  uint16_t incoming;
  uint16_t outgoing;
};

struct csk_sctp_udpencaps {
  int32_t association;
  struct csk_sctp_aligned_address address;
  uint16_t port;
};

struct csk_sctp_probeinterval {
  int32_t association;
  struct csk_sctp_aligned_address address;
  uint32_t interval;
};

_Static_assert(sizeof(struct csk_sctp_paddrparams) == 156, "struct sctp_paddrparams");
_Static_assert(sizeof(struct csk_sctp_association_address) == 132, "struct sctp_prim");
_Static_assert(sizeof(struct csk_sctp_status) == 176, "struct sctp_status");

#endif
