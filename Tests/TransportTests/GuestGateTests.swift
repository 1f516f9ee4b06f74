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
    let inside = Files.exists("/run/guest/share/session")
    #expect(GuestKernel.isRunning == inside)
    #expect(GuestKernel.isGuest(hasVariable: true, commandLine: GuestKernel.kernelCommandLine()) == inside)
  }

  /// Another process, told that this is the guest, asked for a test that is only for it.
  @Test func theVariableAloneOpensNothing() throws {
    let program = try #require(target(ofLink: "/proc/self/exe"))
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

  /// A socket type that is none: where nothing refuses, the kernel says EINVAL before it looks at the family, so that
  /// nothing is opened should this fail.
  private static let noType: Int32 = 0xff0
  private static let vsock: Int32 = 40

  @Test func outsideNoVsockSocketCanBeMadeInThisProcess() {
    #expect(socket(Self.vsock, Self.noType, 0) == -1 && errno == (GuestKernel.isRunning ? EINVAL : EACCES))
    var pair: [Int32] = [-1, -1]
    // The kernel writes at most the two numbers, during the call.
    let made = unsafe socketpair(Self.vsock, Self.noType, 0, &pair)
    #expect(made == -1)
    #expect(errno == (GuestKernel.isRunning ? EINVAL : EACCES))
    // The threads that there were, and only this family.
    let there = onThread { socket(Self.vsock, Self.noType, 0) == -1 ? errno : 0 }
    #expect(there == (GuestKernel.isRunning ? EINVAL : EACCES))
    #expect(socket(AF_UNIX, Self.noType, 0) == -1 && errno == EINVAL)
  }

  @Test func outsideNoProgramThatATestStartsCanMakeOne() throws {
    let script = """
      import socket
      try: socket.socket(\(Self.vsock), \(Self.noType))
      except OSError as error: print(error.errno, end="")
      """
    guard let child = PeerProcess(["python3", "-c", script]) else {
      #expect(!mustBeAvailable, "unavailable: python3 is missing")
      return
    }
    let (output, status) = child.finish()
    #expect(status == 0)
    #expect(String(decoding: output, as: UTF8.self) == "\(GuestKernel.isRunning ? EINVAL : EACCES)")
  }
}
