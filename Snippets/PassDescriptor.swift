// Passes an open descriptor over a Unix socket.
import SocketKit

// snippet.pass
let pair = try UnixStreamSocket.pair()
let standardOutput = [RawDescriptor(1)]
_ = try pair.first.sendDescriptors(standardOutput.span, with: [0].span, until: .after(.seconds(1)))

var byte: [UInt8] = [0]
var received = ReceivedDescriptors<4>()
_ = try pair.second.receiveDescriptors(&received, into: byte.mutableSpan, until: .after(.seconds(1)))
while let descriptor = received.takeFirst() {
  print("received", descriptor.raw.value)  // closes at the end of the scope
}
// snippet.end
