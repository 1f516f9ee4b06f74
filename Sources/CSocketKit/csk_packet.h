// Packet sockets (packet(7), linux/if_packet.h) and the Kernel Connection Multiplexer (linux/kcm.h).
#ifndef CSK_PACKET_H
#define CSK_PACKET_H

#include "csk_types.h"

#define CSK_AF_PACKET 17
#define CSK_SOL_PACKET 263
#define CSK_PACKET_ADD_MEMBERSHIP 1
#define CSK_PACKET_DROP_MEMBERSHIP 2
#define CSK_PACKET_STATISTICS 6
#define CSK_PACKET_VERSION 10
#define CSK_TPACKET_V3 2
#define CSK_PACKET_MR_MULTICAST 0
#define CSK_PACKET_MR_PROMISC 1
#define CSK_PACKET_MR_ALLMULTI 2
#define CSK_PACKET_MR_UNICAST 3

#define CSK_AF_KCM 41
#define CSK_AF_CAN 29
#define CSK_CAN_RAW 1
#define CSK_CAN_J1939 7
#define CSK_SIOCKCMATTACH 0x89e0
#define CSK_SIOCKCMUNATTACH 0x89e1
#define CSK_SIOCKCMCLONE 0x89e2

/// struct kcm_attach. struct kcm_unattach and struct kcm_clone consist of its first field.
struct csk_kcm_attach {
  int fd;
  int program;
};

#endif
