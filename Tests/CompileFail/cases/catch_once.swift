// compiles
import SocketKit

// One error type: a program that connects and then reads catches once and reads the code without a cast.
func f() -> SocketError.Code? {
  do {
    let socket = try TCPSocket.connect(to: .host("localhost", port: 80), until: .after(.seconds(1)))
    var buffer: InlineArray<16, UInt8> = InlineArray(repeating: 0)
    _ = try socket.read(into: buffer.mutableSpan, until: .after(.seconds(1)))
    return nil
  } catch {
    return error.code
  }
}

// A closure that configures throws anything.
func g() throws(SocketError) {
  _ = try TCPSocket.listen(on: .any(port: 0)) { try $0.setOption(.reusePort, to: true) }
  _ = try UnixStreamSocket.connect(to: UnixAddress(path: "/x"), until: .past)
  _ = try UDPSocket.connect(to: .host("localhost", port: 80), from: .loopback(port: 0))
}
