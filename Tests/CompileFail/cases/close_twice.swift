// error: 'socket' consumed more than once
import SocketKit

func f(_ socket: consuming TCPSocket) throws {
  try socket.close()
  try socket.close()
}
