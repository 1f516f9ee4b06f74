import LengthPrefixed
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitSCTP

// The compositions over SCTPSocket: never inlined, so that the specialization check finds each in the binary.

@inline(never)
func hot_readWrite_sctp_epoll(
  _ socket: borrowing SCTPSocket, _ poller: inout EpollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_sctp_epoll(
  _ socket: borrowing SCTPSocket, _ poller: inout EpollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_sctp_epoll(
  _ listener: borrowing Listener<SCTPSocket>, _ poller: inout EpollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_sctp_epoll(
  _ server: inout EchoServer<SCTPSocket, EpollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_sctp_epoll(
  _ socket: inout Wrapped<SCTPSocket>, _ poller: inout EpollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_sctp_poll(
  _ socket: borrowing SCTPSocket, _ poller: inout PollPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_sctp_poll(
  _ socket: borrowing SCTPSocket, _ poller: inout PollPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_sctp_poll(
  _ listener: borrowing Listener<SCTPSocket>, _ poller: inout PollPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_sctp_poll(
  _ server: inout EchoServer<SCTPSocket, PollPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_sctp_poll(
  _ socket: inout Wrapped<SCTPSocket>, _ poller: inout PollPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }

@inline(never)
func hot_readWrite_sctp_spin(
  _ socket: borrowing SCTPSocket, _ poller: inout BusySpinPoller, _ messages: Int
) throws(SocketError) -> Int { try readWrite(socket, &poller, messages) }

@inline(never)
func hot_catching_sctp_spin(
  _ socket: borrowing SCTPSocket, _ poller: inout BusySpinPoller, _ messages: Int
) -> LoopCount { catching(socket, &poller, messages) }

@inline(never)
func hot_accept_sctp_spin(
  _ listener: borrowing Listener<SCTPSocket>, _ poller: inout BusySpinPoller, _ connections: Int
) throws(SocketError) -> Int { try acceptLoop(listener, &poller, connections) }

@inline(never)
func hot_server_sctp_spin(
  _ server: inout EchoServer<SCTPSocket, BusySpinPoller>, _ echoed: Int, _ closed: Int
) throws(SocketError) { try serve(&server, echoed: echoed, closed: closed) }

@inline(never)
func hot_wrapper_sctp_spin(
  _ socket: inout Wrapped<SCTPSocket>, _ poller: inout BusySpinPoller, _ frames: Int
) throws(SocketError) -> Int { try wrappedLoop(&socket, &poller, frames) }
