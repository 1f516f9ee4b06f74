// error: has no member 'seconds'|cannot infer
import SocketKit

func f(_ socket: borrowing TCPSocket, _ buffer: inout [UInt8]) throws {
  _ = try socket.read(into: buffer.mutableSpan, until: .seconds(5))
}
