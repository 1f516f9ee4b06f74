import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive, .guestOnly) struct VsockActivationTests {
  @Test func listenersOfBothKinds() throws {
    let stream = try VsockStreamSocket.listen(port: .any)
    let packets = try VsockSequencedPacketSocket.listen(port: .any)
    let numbers = [stream.descriptor.value, packets.descriptor.value]
    let outcome = try activate("vsock", numbers, names: "s:p", suite: "VsockActivatedProcess")
    #expect(outcome == .passed)
  }
}

/// What runs in the new process; in any other there is nothing to run.
@Suite(.guestOnly) struct VsockActivatedProcess {
  @Test func run() throws {
    guard environmentVariable(partVariable) == "vsock" else { return }
    var activated = try ActivatedSockets()
    let packets = try activated.takeListener(VsockSequencedPacketSocket.self, named: "p")
    let stream = try activated.takeListener(VsockStreamSocket.self, named: "s")
    let port = try stream.localAddress().port
    let client = try VsockStreamSocket.connect(to: .local(port: port), until: .after(patience))
    let server = try stream.accept(until: .after(patience))
    try client.writeAll([1].span, until: .after(patience))
    var buffer: [UInt8] = [0]
    try server.readExactly(into: buffer.mutableSpan, until: .after(patience))
    let bound = try packets.localAddress()
    #expect(buffer == [1] && bound.contextID == .any)
    reportPart("vsock")
  }
}
