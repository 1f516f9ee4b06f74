import LengthPrefixed
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitUnix

// The compositions over UnixStreamSocket: never inlined, so that the specialization check finds each in the binary.

@inline(never)
func hot_readWrite_unix_epoll(
  _ socket: borrowing UnixStreamSocket, _ poller: inout EpollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_unix_epoll(
  _ socket: borrowing UnixStreamSocket, _ poller: inout EpollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_unix_epoll(
  _ listener: borrowing Listener<UnixStreamSocket>, _ poller: inout EpollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_unix_epoll(
  _ server: inout EchoServer<UnixStreamSocket, EpollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_unix_epoll(
  _ socket: inout Wrapped<UnixStreamSocket>, _ poller: inout EpollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_unix_poll(
  _ socket: borrowing UnixStreamSocket, _ poller: inout PollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_unix_poll(
  _ socket: borrowing UnixStreamSocket, _ poller: inout PollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_unix_poll(
  _ listener: borrowing Listener<UnixStreamSocket>, _ poller: inout PollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_unix_poll(
  _ server: inout EchoServer<UnixStreamSocket, PollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_unix_poll(
  _ socket: inout Wrapped<UnixStreamSocket>, _ poller: inout PollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_unix_spin(
  _ socket: borrowing UnixStreamSocket, _ poller: inout BusySpinPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_unix_spin(
  _ socket: borrowing UnixStreamSocket, _ poller: inout BusySpinPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_unix_spin(
  _ listener: borrowing Listener<UnixStreamSocket>, _ poller: inout BusySpinPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_unix_spin(
  _ server: inout EchoServer<UnixStreamSocket, BusySpinPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_unix_spin(
  _ socket: inout Wrapped<UnixStreamSocket>, _ poller: inout BusySpinPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }
