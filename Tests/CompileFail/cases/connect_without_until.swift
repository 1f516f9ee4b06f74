// error: 'connect\(to:\)' is unavailable: Connecting waits. Add until:, or call startConnecting\(to:\).
import SocketKit

func f() throws {
  _ = try TCPSocket.connect(to: IPSocketAddress.loopback(port: 80))
}
