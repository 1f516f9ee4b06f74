// error: 'UnixSocketOptions'.* conform to 'IPOptions'
import SocketKit

func f(_ socket: borrowing UnixDatagramSocket) throws {
  try socket.join(MulticastGroup(.v4(IPv4Address(239, 1, 2, 3))))
}
