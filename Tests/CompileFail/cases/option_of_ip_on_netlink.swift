// error: requires that 'SocketLevelOptions' conform to 'IPOptions'|requires 'Self' constraint
import SocketKit

func f(_ socket: borrowing GenericMessageSocket<AnySocketAddress, SocketLevelOptions>) throws {
  try socket.setOption(.timeToLive, to: 3)
}
