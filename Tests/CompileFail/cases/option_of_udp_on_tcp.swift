// error: requires the types|cannot convert|has no member 'coalescing'|requires 'Self' constraint
import SocketKit

func f(_ socket: borrowing TCPSocket) throws {
  try socket.setOption(.coalescing, to: true)
}
