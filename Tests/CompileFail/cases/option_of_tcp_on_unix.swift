// error: requires that 'UnixSocketOptions' conform to 'TCPOptions'|requires 'Self' constraint
import SocketKit

func f(_ socket: borrowing GenericStreamSocket<UnixAddress, UnixSocketOptions>) throws {
  try socket.setOption(.noDelay, to: true)
}
