// SCTP messages: control data beside them, notifications, event switches. include/uapi/linux/sctp.h, RFC 6458 chapters 5
// and 6. What a notification says stands at the offsets given here: they are read with checked lengths, not as structures.
#ifndef CSK_SCTP_MESSAGES_H
#define CSK_SCTP_MESSAGES_H

#include "csk_sctp.h"

// Types of control messages, level IPPROTO_SCTP.
#define CSK_SCTP_CMSG_SNDINFO 2
#define CSK_SCTP_CMSG_RCVINFO 3
#define CSK_SCTP_CMSG_NXTINFO 4
#define CSK_SCTP_CMSG_PRINFO 5
#define CSK_SCTP_CMSG_AUTHINFO 6

// snd_flags, rcv_flags, nxt_flags.
#define CSK_SCTP_UNORDERED 0x1
#define CSK_SCTP_ADDR_OVER 0x2
#define CSK_SCTP_ABORT 0x4
#define CSK_SCTP_SACK_IMMEDIATELY 0x8
#define CSK_SCTP_EOF 0x200
#define CSK_SCTP_NEXT_IS_NOTIFICATION 0x8000

// pr_policy
#define CSK_SCTP_PR_NONE 0x00
#define CSK_SCTP_PR_TTL 0x10
#define CSK_SCTP_PR_RTX 0x20
#define CSK_SCTP_PR_PRIO 0x30

// sn_type, and se_type of SCTP_EVENT.
#define CSK_SCTP_ASSOC_CHANGE 0x8001
#define CSK_SCTP_PEER_ADDR_CHANGE 0x8002
#define CSK_SCTP_SEND_FAILED 0x8003
#define CSK_SCTP_REMOTE_ERROR 0x8004
#define CSK_SCTP_SHUTDOWN_EVENT 0x8005
#define CSK_SCTP_PARTIAL_DELIVERY_EVENT 0x8006
#define CSK_SCTP_ADAPTATION_INDICATION 0x8007
#define CSK_SCTP_AUTHENTICATION_EVENT 0x8008
#define CSK_SCTP_SENDER_DRY_EVENT 0x8009
#define CSK_SCTP_STREAM_RESET_EVENT 0x800a
#define CSK_SCTP_ASSOC_RESET_EVENT 0x800b
#define CSK_SCTP_STREAM_CHANGE_EVENT 0x800c
#define CSK_SCTP_SEND_FAILED_EVENT 0x800d

/// struct sctp_sndinfo. The payload protocol is passed as it is: whoever fills it in converts it.
struct csk_sctp_sndinfo {
  uint16_t stream;
  uint16_t flags;
  uint32_t payload_protocol;
  uint32_t context;
  int32_t association;
};

/// struct sctp_rcvinfo.
struct csk_sctp_rcvinfo {
  uint16_t stream;
  uint16_t sequence;
  uint16_t flags;
  uint16_t padding;
  uint32_t payload_protocol;
  uint32_t tsn;
  uint32_t cumulative_tsn;
  uint32_t context;
  int32_t association;
};

/// struct sctp_nxtinfo.
struct csk_sctp_nxtinfo {
  uint16_t stream;
  uint16_t flags;
  uint32_t payload_protocol;
  uint32_t length;
  int32_t association;
};

/// struct sctp_prinfo.
struct csk_sctp_prinfo {
  uint16_t policy;
  uint16_t padding;
  uint32_t value;
};

/// struct sctp_event.
struct csk_sctp_event {
  int32_t association;
  uint16_t type;
  uint8_t on;
  uint8_t padding;
};

_Static_assert(sizeof(struct csk_sctp_sndinfo) == 16, "struct sctp_sndinfo");
_Static_assert(sizeof(struct csk_sctp_rcvinfo) == 28, "struct sctp_rcvinfo");
_Static_assert(sizeof(struct csk_sctp_nxtinfo) == 16, "struct sctp_nxtinfo");
_Static_assert(sizeof(struct csk_sctp_prinfo) == 8, "struct sctp_prinfo");
_Static_assert(sizeof(struct csk_sctp_event) == 8, "struct sctp_event");

#endif
