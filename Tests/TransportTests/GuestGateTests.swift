import Glibc
import TestSupport
import Testing

/// What opens vsock connections runs in the guest kernel only. These hold on both sides of its border.
@Suite(.exclusive) struct GuestGateTests {
  @Test func itTakesBothTheVariableAndTheKernelsWord() {
    #expect(GuestKernel.isGuest(hasVariable: true, commandLine: "console=ttyS0 quiet socketkit.guest\n"))
    #expect(GuestKernel.isGuest(hasVariable: true, commandLine: "socketkit.guest"))
    #expect(!GuestKernel.isGuest(hasVariable: false, commandLine: "console=ttyS0 quiet socketkit.guest\n"))
    for line in ["", "\n", "quiet", "socketkit", "x.socketkit.guest", "socketkit.guest=1", "socketkit.guests"] {
      #expect(!GuestKernel.isGuest(hasVariable: true, commandLine: line), "\(line)")
    }
  }

  /// The folder that the guest's init makes is a third sign.
  @Test func theJudgementIsRightHere() {
    let inside = access("/run/guest/share/session", F_OK) == 0
    #expect(GuestKernel.isRunning == inside)
    #expect(GuestKernel.isGuest(hasVariable: true, commandLine: GuestKernel.kernelCommandLine()) == inside)
  }

  /// Another process, told that this is the guest, asked for a test that is only for it.
  @Test func theVariableAloneOpensNothing() throws {
    let program = try #require(testProgram())
    let child = try #require(
      PeerProcess([
        "/bin/sh", "-c", "SOCKETKIT_GUEST=1 exec \"$0\" --testing-library swift-testing --filter \"$1\" 2>&1",
        program, "GuestKernelTests/theKernelIsOneOfTheWanted",
      ]))
    let (output, _) = child.finish()
    let text = String(decoding: output, as: UTF8.self)
    let hasRun = text.contains("Test theKernelIsOneOfTheWanted() started")
    let hasRefused = text.contains("Suite GuestKernelTests skipped: \"unavailable: vsock is only for the guest kernel")
    #expect(hasRun == GuestKernel.isRunning && hasRefused == !hasRun, "\(text)")
  }

  private func testProgram() -> String? {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &bytes, bytes.count - 1)
    return count > 0 ? String(decoding: bytes.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
  }
}
