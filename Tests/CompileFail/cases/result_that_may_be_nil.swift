// error: value of optional type 'Int\?' must be unwrapped
import SocketKit

func f(_ socket: borrowing TCPSocket) throws -> Int {
  try socket.write([1].span) + 1
}
