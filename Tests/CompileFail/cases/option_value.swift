// error: cannot convert value of type 'Int' to expected argument type 'Bool'|integer literal
import SocketKit

func f(_ socket: borrowing TCPSocket) throws {
  try socket.setOption(.noDelay, to: 1)
}
