// error: requires that 'UDPSocketOptions' conform to 'TCPOptions'|requires 'Self' constraint|has no member 'noDelay'
import SocketKit

func f(_ socket: borrowing UDPSocket) throws {
  try socket.setOption(.noDelay, to: true)
}
