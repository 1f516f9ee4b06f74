import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitVsock

// The compositions over VsockSequencedPacketSocket: never inlined, so that the specialization check finds each in the
// binary.

@inline(never)
func hot_packet_vsock_epoll(
  _ socket: borrowing VsockSequencedPacketSocket, _ poller: inout EpollPoller, _ packets: Int
) throws(SocketError) -> Int { try packetLoop(socket, &poller, packets) }

@inline(never)
func hot_packet_vsock_poll(
  _ socket: borrowing VsockSequencedPacketSocket, _ poller: inout PollPoller, _ packets: Int
) throws(SocketError) -> Int { try packetLoop(socket, &poller, packets) }

@inline(never)
func hot_packet_vsock_spin(
  _ socket: borrowing VsockSequencedPacketSocket, _ poller: inout BusySpinPoller, _ packets: Int
) throws(SocketError) -> Int { try packetLoop(socket, &poller, packets) }
