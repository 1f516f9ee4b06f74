import Glibc
import SocketKit
import TestSupport
import Testing

/// Zero-copy sends over vsock streams, which Linux 6.7 and later accept: one send may use several completion numbers,
/// and nothing says how many, so buffers cannot be given back at the right time.
@Suite(.exclusive, .guestOnly) struct VsockZeroCopyTests {
  @Test func streamsAreRefusedAndStayAsTheyWere() throws {
    let pair = try vsockPair(VsockStreamSocket.self)
    var error: SocketError?
    do throws(SocketError) {
      _ = try ZeroCopySender(for: pair.first)
      Issue.record("took a vsock stream")
    } catch let failure {
      error = failure
    }
    #expect(error == SocketError(code: .notSupported, .setOption))
    var isOn = false
    do throws(SocketError) {
      isOn = try pair.first.option(.zeroCopy)
    } catch {
      // Linux 6.1 has no such option here.
      #expect(GuestKernel.isLinux61)
    }
    #expect(!isOn)
  }

  /// A program that sends with the flag itself sees the completions: ancillary messages of level SOL_VSOCK.
  @Test func completionsOfAProgramsOwnSendsAreRead() throws {
    if GuestKernel.isLinux61 { return }
    let pair = try vsockPair(VsockStreamSocket.self)
    try pair.first.setOption(.zeroCopy, to: true)
    let bytes = [UInt8](repeating: 7, count: 100_000)
    let sent = CLibrary.send(pair.first.descriptor.value, bytes[...], flags: 0x400_0000)
    #expect(sent > 0)
    var received = 0
    var room = [UInt8](repeating: 0, count: 65536)
    while received < sent {
      let outcome = try pair.second.read(into: room.mutableSpan, until: .after(patience))
      guard case .bytes(let count) = outcome else { break }
      received += count
    }
    var completions: [ExtendedError] = []
    let deadline = Deadline.after(patience)
    while completions.isEmpty && !deadline.hasPassed {
      if let entry = try pair.first.nextQueuedError() {
        completions.append(entry.error)
      } else {
        sleep(milliseconds: 5)
      }
    }
    #expect(received == sent)
    #expect(completions.first?.origin == .zeroCopy && completions.first?.info == 0)
  }
}
