// error: has no member 'tcpInfo'
import SocketKit

func f(_ socket: borrowing TCPSocket, _ info: TCPInfo) throws {
  try socket.setOption(.tcpInfo, to: info)
}
