import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// Disks that are slow or fail late, by strace(1), which delays and fails the command's real system calls.
@Suite(.exclusive) struct VscpSlowDiskTests {
  private let folder = TemporaryFolder()

  init() {
    folder.makeFolder("into")
    #expect(PeerProcess.exists("strace") || !mustBeAvailable, "unavailable: strace is not installed")
  }

  private var log: String { String(decoding: folder.read("log") ?? [], as: UTF8.self) }
  private var into: String { "\(folder.path)/into" }

  @Test func theSenderOutlivesASlowSync() throws {
    guard PeerProcess.exists("strace") else { return }
    folder.write("f", randomBytes(1000))
    let receiver = try VscpProcess.start(
      ["--verify", "--listen", "unix:@", into], log: "\(folder.path)/log",
      under: VscpProcess.injecting("fsync:delay_enter=1500ms"))
    let talk = Talk()
    let status = VscpCommand.run(
      ["--verify", "--idle-timeout", "1s", "--to", try VscpProcess.address(in: "log", of: folder), "\(folder.path)/f"],
      console: talk.console())
    #expect(receiver.finish().status == 0 && status == 0, "\(talk.text)\(log)")
    #expect(folder.read("into/f")?.count == 1000)
  }

  /// Nobody could be told then: it stays unfinished, and the next run finds it whole.
  @Test func aSenderThatGoesDuringTheSyncLeavesThePart() throws {
    guard PeerProcess.exists("strace") else { return }
    let receiver = try VscpProcess.start(
      ["--verify", "--listen", "unix:@", into], log: "\(folder.path)/log",
      under: VscpProcess.injecting("fsync:delay_enter=1s"))
    do {
      let peer = try RawPeer(to: VscpProcess.address(in: "log", of: folder))
      try peer.send(VerifyRole.sender.hello)
      _ = try peer.receive(8)
      try peer.send(Frame.offer(Offer(size: 3, mode: 0o644, name: [0x66])).bytes)
      _ = try peer.receiveFrame()
      try peer.send(Frame.begin(offset: 0).bytes + FrameHeader(.data, length: 3).bytes + [1, 2, 3])
      try peer.send(Frame.end(size: 3, SHA256.digest(of: [1, 2, 3])).bytes)
    }
    #expect(receiver.finish().status == 1)
    #expect(folder.read("into/f") == nil && folder.read("into/.f.vscp-part") == [1, 2, 3], "\(log)")
  }

  /// Half a second is what PROTOCOL.md calls the smallest useful idle timeout.
  @Test(arguments: [true, false])
  func aShortIdleTimeoutOutlivesTheComparison(_ isReceiverSlow: Bool) throws {
    guard PeerProcess.exists("strace") else { return }
    let bytes = randomBytes(6 << 20)
    folder.write("f", bytes)
    folder.write("into/.f.vscp-part", Array(bytes.dropLast(5)), mode: 0o600)
    let slow = VscpProcess.injecting("read:delay_enter=50ms")
    let receiver = try VscpProcess.start(
      ["--verify", "--listen", "unix:@", "--idle-timeout", isReceiverSlow ? "20s" : "500ms", into],
      log: "\(folder.path)/log", under: isReceiverSlow ? slow : [])
    let sender = try VscpProcess.start(
      [
        "--verify", "--idle-timeout", isReceiverSlow ? "500ms" : "20s", "--to",
        try VscpProcess.address(in: "log", of: folder), "\(folder.path)/f",
      ], log: "/dev/null", under: isReceiverSlow ? [] : slow)
    #expect(sender.finish().status == 0 && receiver.finish().status == 0, "\(log)")
    #expect(folder.read("into/f") == bytes && log.contains("resuming"))
  }

  /// NFS and quotas may say no only when the file is closed.
  @Test func aFileThatFailsOnCloseIsNoSuccess() throws {
    guard PeerProcess.exists("strace") else { return }
    folder.write("f", [1])
    let receiver = try VscpProcess.start(
      ["--listen", "unix:@", "\(into)/f"], log: "\(folder.path)/log",
      under: VscpProcess.injecting("close:error=EDQUOT", path: "\(into)/f"))
    let status = VscpCommand.run(
      ["--to", try VscpProcess.address(in: "log", of: folder), "\(folder.path)/f"], console: Talk().console())
    #expect(status == 0 && receiver.finish().status == 1)
    #expect(log.contains("failed to receive data: close \(into)/f: disk quota exceeded"), "\(log)")
  }

  /// A second sync would be none of the same bytes: they must come again.
  @Test func whatCouldNotBeSyncedIsNotKept() throws {
    guard PeerProcess.exists("strace") else { return }
    folder.write("f", [1, 2, 3])
    let receiver = try VscpProcess.start(
      ["--verify", "--listen", "unix:@", into], log: "\(folder.path)/log",
      under: VscpProcess.injecting("fsync:error=EIO"))
    let talk = Talk()
    let status = VscpCommand.run(
      ["--verify", "--to", try VscpProcess.address(in: "log", of: folder), "\(folder.path)/f"], console: talk.console())
    #expect(receiver.finish().status == 1 && status == 1)
    #expect(talk.text.contains("failed to store \"f\": sync .f.vscp-part: input/output error"), "\(talk.text)")
    #expect(folder.read("into/f") == nil && folder.read("into/.f.vscp-part") == nil)
  }
}
