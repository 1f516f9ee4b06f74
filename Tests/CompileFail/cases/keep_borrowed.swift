// error: 'socket' is borrowed and cannot be consumed
import SocketKit

func f(_ socket: borrowing TCPSocket) -> TCPSocket {
  socket
}
