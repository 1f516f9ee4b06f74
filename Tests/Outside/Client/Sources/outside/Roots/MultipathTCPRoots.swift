import LengthPrefixed
import MultipathTCP
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll

// The compositions over MultipathTCPSocket: never inlined, so that the specialization check finds each in the binary.

@inline(never)
func hot_readWrite_mptcp_epoll(
  _ socket: borrowing MultipathTCPSocket, _ poller: inout EpollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_mptcp_epoll(
  _ socket: borrowing MultipathTCPSocket, _ poller: inout EpollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_mptcp_epoll(
  _ listener: borrowing Listener<MultipathTCPSocket>, _ poller: inout EpollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_mptcp_epoll(
  _ server: inout EchoServer<MultipathTCPSocket, EpollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_mptcp_epoll(
  _ socket: inout Wrapped<MultipathTCPSocket>, _ poller: inout EpollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_mptcp_poll(
  _ socket: borrowing MultipathTCPSocket, _ poller: inout PollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_mptcp_poll(
  _ socket: borrowing MultipathTCPSocket, _ poller: inout PollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_mptcp_poll(
  _ listener: borrowing Listener<MultipathTCPSocket>, _ poller: inout PollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_mptcp_poll(
  _ server: inout EchoServer<MultipathTCPSocket, PollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_mptcp_poll(
  _ socket: inout Wrapped<MultipathTCPSocket>, _ poller: inout PollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_mptcp_spin(
  _ socket: borrowing MultipathTCPSocket, _ poller: inout BusySpinPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_mptcp_spin(
  _ socket: borrowing MultipathTCPSocket, _ poller: inout BusySpinPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_mptcp_spin(
  _ listener: borrowing Listener<MultipathTCPSocket>, _ poller: inout BusySpinPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_mptcp_spin(
  _ server: inout EchoServer<MultipathTCPSocket, BusySpinPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_mptcp_spin(
  _ socket: inout Wrapped<MultipathTCPSocket>, _ poller: inout BusySpinPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }
