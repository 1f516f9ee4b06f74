// error: has no member 'edge'
import SocketKit

func f(_ socket: borrowing TCPSocket) throws {
  var poller = try EpollPoller()
  try poller.register(socket, for: [.readable, .edge], token: Token(index: 1))
}
