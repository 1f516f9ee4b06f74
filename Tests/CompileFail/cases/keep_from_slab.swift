// error: 'socket' is borrowed and cannot be consumed
import SocketKit

func f(_ sockets: inout Slab<TCPSocket>, _ token: Token) throws {
  var kept: TCPSocket?
  sockets.withElement(token) { (socket: borrowing TCPSocket) in kept = consume socket }
  _ = kept.take()
}
