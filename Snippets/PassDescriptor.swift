// Passes an open file over a Unix socket, and reads it at the other end.
import Glibc
import SocketKit

// snippet.pass
let pair = try UnixStreamSocket.pair()
let file = open("/etc/os-release", O_RDONLY | O_CLOEXEC)  // from Glibc
_ = try pair.first.sendDescriptors([RawDescriptor(file)].span, with: [0].span, until: .after(.seconds(1)))
close(file)  // the receiver gets a descriptor of its own

var byte: [UInt8] = [0]
var received = ReceivedDescriptors<4>()
_ = try pair.second.receiveDescriptors(&received, into: byte.mutableSpan, until: .after(.seconds(1)))
var buffer = [UInt8](repeating: 0, count: 4096)
while let descriptor = received.takeFirst() {
  let stream = try DescriptorStream(adopting: descriptor)  // closes the descriptor at the end of the scope
  while case .bytes(let count) = try stream.read(into: buffer.mutableSpan, until: .never) {
    print(String(decoding: buffer[..<count], as: UTF8.self), terminator: "")
  }
}
// snippet.end
