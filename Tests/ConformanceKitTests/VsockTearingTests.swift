import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// What the kernel does by itself when a packet is sent without blocking and the peer has room for a part of it: it
/// sends that part, says would-block, and joins the next packet to it. The rule on messages under pressure must see
/// that.
@Suite(.exclusive, .guestOnly) struct VsockTearingTests {
  private func pairs<S: SequencedPacketSocket & Transport & Acceptable<Void> & ~Copyable>(
    _ type: S.Type
  ) -> SequencedPacketSuite<S> where S.Address == VsockAddress {
    SequencedPacketSuite("packets", [.lossless, .fewWaiting, .unpeekable]) {
      let listener = try S.listen(on: .local(port: .any))
      let client = try S.connect(to: listener.localAddress(), until: .after(.seconds(5)))
      return SocketPair(client, try listener.accept(until: .after(.seconds(5))))
    }
  }

  @Test func packetsThatTheKernelTearsAreSeen() throws {
    let rule = try #require(pairs(VsockTearingSocket.self).rules.first { $0.id == "packet.send.pressure" })
    let outcome = Haste.during { rule.run() }
    #expect(outcome.isFailure && "\(outcome)".contains("message"), "\(outcome)")
    let ours = try #require(pairs(VsockSequencedPacketSocket.self).rules.first { $0.id == rule.id })
    #expect(ours.run() == .passed)
  }
}

/// Packets over vsock as any kernel socket sends them.
private struct VsockTearingSocket: ~Copyable, SequencedPacketSocket, KernelSocket, Transport, Acceptable {
  typealias Address = VsockAddress
  typealias Options = VsockSocketOptions
  private let owned: Descriptor

  init(owning descriptor: consuming Descriptor) { owned = descriptor }

  var descriptor: RawDescriptor { owned.raw }
  consuming func releaseDescriptor() -> Descriptor { owned }

  static var capabilities: SocketCapabilities { [.halfClose, .refusesByReset] }
  static var kinds: [SocketKind] { [SocketKind(.vsock, .sequencedPacket)] }
  static func isEnd(_ info: MessageInfo) -> Bool { info.length == 0 }
}
