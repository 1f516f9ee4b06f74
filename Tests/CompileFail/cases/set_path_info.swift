// error: has no member 'pathInfo'|member 'pathInfo' cannot be resolved
import SocketKit

func f(_ socket: borrowing SCTPSocket, _ peer: IPSocketAddress, _ info: SCTPPathInfo) throws {
  try socket.setOption(.pathInfo(to: peer), to: info)
}
