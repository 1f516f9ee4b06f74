import LengthPrefixed
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitVsock

// The compositions over VsockStreamSocket: never inlined, so that the specialization check finds each in the binary.

@inline(never)
func hot_readWrite_vsock_epoll(
  _ socket: borrowing VsockStreamSocket, _ poller: inout EpollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_vsock_epoll(
  _ socket: borrowing VsockStreamSocket, _ poller: inout EpollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_vsock_epoll(
  _ listener: borrowing Listener<VsockStreamSocket>, _ poller: inout EpollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_vsock_epoll(
  _ server: inout EchoServer<VsockStreamSocket, EpollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_vsock_epoll(
  _ socket: inout Wrapped<VsockStreamSocket>, _ poller: inout EpollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_vsock_poll(
  _ socket: borrowing VsockStreamSocket, _ poller: inout PollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_vsock_poll(
  _ socket: borrowing VsockStreamSocket, _ poller: inout PollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_vsock_poll(
  _ listener: borrowing Listener<VsockStreamSocket>, _ poller: inout PollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_vsock_poll(
  _ server: inout EchoServer<VsockStreamSocket, PollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_vsock_poll(
  _ socket: inout Wrapped<VsockStreamSocket>, _ poller: inout PollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_vsock_spin(
  _ socket: borrowing VsockStreamSocket, _ poller: inout BusySpinPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_vsock_spin(
  _ socket: borrowing VsockStreamSocket, _ poller: inout BusySpinPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_vsock_spin(
  _ listener: borrowing Listener<VsockStreamSocket>, _ poller: inout BusySpinPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_vsock_spin(
  _ server: inout EchoServer<VsockStreamSocket, BusySpinPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_vsock_spin(
  _ socket: inout Wrapped<VsockStreamSocket>, _ poller: inout BusySpinPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }
