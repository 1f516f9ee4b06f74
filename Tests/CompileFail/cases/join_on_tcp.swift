// error: 'join' requires that 'TCPSocket' conform to 'DatagramSocket'|has no member 'join'
import SocketKit

func f(_ socket: borrowing TCPSocket) throws {
  try socket.join(MulticastGroup(.v4(IPv4Address(239, 1, 2, 3))))
}
