// error: has no member 'status'|member 'status' cannot be resolved
import SocketKit

func f(_ socket: borrowing SCTPSocket, _ status: SCTPStatus) throws {
  try socket.setOption(.status, to: status)
}
