import DatagramMeter
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitUDP

// The compositions over MeteredDatagrams<UDPSocket>: never inlined, so that the specialization check finds each in the
// binary.

@inline(never)
func hot_datagram_metered_epoll(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout EpollPoller, _ datagrams: Int
) throws(SocketError) -> Int { try datagramLoop(socket, &poller, datagrams) }

@inline(never)
func hot_batch_metered_epoll(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout EpollPoller, _ batch: inout MessageBatch,
  _ datagrams: Int
) throws(SocketError) -> Int { try batchLoop(socket, &poller, &batch, datagrams) }

@inline(never)
func hot_offload_metered_epoll(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout EpollPoller, _ batch: inout MessageBatch,
  _ datagrams: Int
) throws(SocketError) -> Int { try offloadLoop(socket, &poller, &batch, datagrams) }

@inline(never)
func hot_datagram_metered_poll(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout PollPoller, _ datagrams: Int
) throws(SocketError) -> Int { try datagramLoop(socket, &poller, datagrams) }

@inline(never)
func hot_batch_metered_poll(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout PollPoller, _ batch: inout MessageBatch,
  _ datagrams: Int
) throws(SocketError) -> Int { try batchLoop(socket, &poller, &batch, datagrams) }

@inline(never)
func hot_offload_metered_poll(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout PollPoller, _ batch: inout MessageBatch,
  _ datagrams: Int
) throws(SocketError) -> Int { try offloadLoop(socket, &poller, &batch, datagrams) }

@inline(never)
func hot_datagram_metered_spin(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout BusySpinPoller, _ datagrams: Int
) throws(SocketError) -> Int { try datagramLoop(socket, &poller, datagrams) }

@inline(never)
func hot_batch_metered_spin(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout BusySpinPoller, _ batch: inout MessageBatch,
  _ datagrams: Int
) throws(SocketError) -> Int { try batchLoop(socket, &poller, &batch, datagrams) }

@inline(never)
func hot_offload_metered_spin(
  _ socket: borrowing MeteredDatagrams<UDPSocket>, _ poller: inout BusySpinPoller, _ batch: inout MessageBatch,
  _ datagrams: Int
) throws(SocketError) -> Int { try offloadLoop(socket, &poller, &batch, datagrams) }
