// error: 'socket' used after consume|'socket' consumed more than once|'socket' used here
import SocketKit

func f(_ socket: consuming TCPSocket) throws {
  try socket.close()
  _ = try socket.write([1].span)
}
