// Passes an open descriptor over a Unix socket.
import SocketKit

// snippet.pass
let pair = try UnixStreamSocket.pair()
let standardOutput = [RawDescriptor(1)]
_ = try pair.first.send([0].span, descriptors: standardOutput.span, until: .after(.seconds(1)))

var byte: [UInt8] = [0]
var received = ReceivedDescriptors<4>()
_ = try pair.second.receive(into: byte.mutableSpan, descriptors: &received, until: .after(.seconds(1)))
while let descriptor = received.takeFirst() {
  print("received", descriptor.raw.value)  // closes at the end of the scope
}
// snippet.end
