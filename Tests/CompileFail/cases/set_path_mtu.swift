// error: has no member 'pathMTU'
import SocketKit

func f(_ socket: borrowing UDPSocket) throws {
  try socket.setOption(.pathMTU, to: 1500)
}
