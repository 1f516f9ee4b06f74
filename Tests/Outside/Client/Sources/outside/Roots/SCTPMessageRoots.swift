import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitSCTP

// The compositions over SCTP's one-to-many and peeled-off sockets: never inlined, so that the specialization check
// finds each in the binary.

@inline(never)
func hot_endpoint_sctp_epoll(
  _ socket: borrowing SCTPOneToManySocket, _ poller: inout EpollPoller, _ messages: Int
) throws(SocketError) -> Int { try endpointLoop(socket, &poller, messages) }

@inline(never)
func hot_messaging_sctp_epoll(
  _ socket: borrowing SCTPAssociationSocket, _ poller: inout EpollPoller, _ messages: Int
) throws(SocketError) -> Int { try messagingLoop(socket, &poller, messages) }

@inline(never)
func hot_packet_sctp_epoll(
  _ socket: borrowing SCTPAssociationSocket, _ poller: inout EpollPoller, _ messages: Int
) throws(SocketError) -> Int { try packetLoop(socket, &poller, messages) }

@inline(never)
func hot_endpoint_sctp_poll(
  _ socket: borrowing SCTPOneToManySocket, _ poller: inout PollPoller, _ messages: Int
) throws(SocketError) -> Int { try endpointLoop(socket, &poller, messages) }

@inline(never)
func hot_messaging_sctp_poll(
  _ socket: borrowing SCTPAssociationSocket, _ poller: inout PollPoller, _ messages: Int
) throws(SocketError) -> Int { try messagingLoop(socket, &poller, messages) }

@inline(never)
func hot_packet_sctp_poll(
  _ socket: borrowing SCTPAssociationSocket, _ poller: inout PollPoller, _ messages: Int
) throws(SocketError) -> Int { try packetLoop(socket, &poller, messages) }

@inline(never)
func hot_endpoint_sctp_spin(
  _ socket: borrowing SCTPOneToManySocket, _ poller: inout BusySpinPoller, _ messages: Int
) throws(SocketError) -> Int { try endpointLoop(socket, &poller, messages) }

@inline(never)
func hot_messaging_sctp_spin(
  _ socket: borrowing SCTPAssociationSocket, _ poller: inout BusySpinPoller, _ messages: Int
) throws(SocketError) -> Int { try messagingLoop(socket, &poller, messages) }

@inline(never)
func hot_packet_sctp_spin(
  _ socket: borrowing SCTPAssociationSocket, _ poller: inout BusySpinPoller, _ messages: Int
) throws(SocketError) -> Int { try packetLoop(socket, &poller, messages) }
