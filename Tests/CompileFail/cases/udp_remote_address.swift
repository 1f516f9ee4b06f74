// error: requires that 'UDPSocket' conform to 'ConnectedSocket'
import SocketKit

func f(_ socket: borrowing UDPSocket) throws {
  _ = try socket.remoteAddress()
}
