// error: requires that 'UDPSocketOptions' conform to 'TCPOptions'|requires 'Self' constraint|has no member 'tcpInfo'
import SocketKit

func f(_ socket: borrowing UDPSocket) throws {
  _ = try socket.option(.tcpInfo)
}
