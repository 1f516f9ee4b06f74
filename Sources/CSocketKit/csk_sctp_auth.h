// SCTP authentication (RFC 4895): numbers and structures of include/uapi/linux/sctp.h, RFC 6458 8.1.17, 8.1.18, 8.2.3,
// 8.2.4 and 8.3.2 to 8.3.5.
#ifndef CSK_SCTP_AUTH_H
#define CSK_SCTP_AUTH_H

#include "csk_sctp.h"

// Options of level IPPROTO_SCTP.
#define CSK_SCTP_AUTH_CHUNK 21
#define CSK_SCTP_HMAC_IDENT 22
#define CSK_SCTP_AUTH_KEY 23
#define CSK_SCTP_AUTH_ACTIVE_KEY 24
#define CSK_SCTP_AUTH_DELETE_KEY 25
#define CSK_SCTP_PEER_AUTH_CHUNKS 26
#define CSK_SCTP_LOCAL_AUTH_CHUNKS 27
#define CSK_SCTP_AUTH_DEACTIVATE_KEY 35

/// struct sctp_authkey. The bytes of the key follow.
struct csk_sctp_authkey {
  int32_t association;
  uint16_t number;
  uint16_t length;
};

/// struct sctp_authkeyid.
struct csk_sctp_authkeyid {
  int32_t association;
  uint16_t number;
};

/// struct sctp_authchunks. One byte for each chunk type follows.
struct csk_sctp_authchunks {
  int32_t association;
  uint32_t count;
};

_Static_assert(sizeof(struct csk_sctp_authkey) == 8, "struct sctp_authkey");
_Static_assert(sizeof(struct csk_sctp_authkeyid) == 8, "struct sctp_authkeyid");
_Static_assert(sizeof(struct csk_sctp_authchunks) == 8, "struct sctp_authchunks");

#endif
