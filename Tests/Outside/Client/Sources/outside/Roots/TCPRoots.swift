import LengthPrefixed
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitTCP

// The compositions over TCPSocket: never inlined, so that the specialization check finds each in the binary.

@inline(never)
func hot_readWrite_tcp_epoll(
  _ socket: borrowing TCPSocket, _ poller: inout EpollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_tcp_epoll(
  _ socket: borrowing TCPSocket, _ poller: inout EpollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_tcp_epoll(
  _ listener: borrowing Listener<TCPSocket>, _ poller: inout EpollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_tcp_epoll(
  _ server: inout EchoServer<TCPSocket, EpollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_tcp_epoll(
  _ socket: inout Wrapped<TCPSocket>, _ poller: inout EpollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_tcp_poll(
  _ socket: borrowing TCPSocket, _ poller: inout PollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_tcp_poll(
  _ socket: borrowing TCPSocket, _ poller: inout PollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_tcp_poll(
  _ listener: borrowing Listener<TCPSocket>, _ poller: inout PollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_tcp_poll(
  _ server: inout EchoServer<TCPSocket, PollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_tcp_poll(
  _ socket: inout Wrapped<TCPSocket>, _ poller: inout PollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_tcp_spin(
  _ socket: borrowing TCPSocket, _ poller: inout BusySpinPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_tcp_spin(
  _ socket: borrowing TCPSocket, _ poller: inout BusySpinPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_tcp_spin(
  _ listener: borrowing Listener<TCPSocket>, _ poller: inout BusySpinPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_tcp_spin(
  _ server: inout EchoServer<TCPSocket, BusySpinPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_tcp_spin(
  _ socket: inout Wrapped<TCPSocket>, _ poller: inout BusySpinPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }
