// error: 'writeAll' is unavailable: This call waits. Add until:
import SocketKit

func f(_ socket: borrowing TCPSocket) throws {
  try socket.writeAll("hello".utf8.span)
}
