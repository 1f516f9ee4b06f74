import Glibc
import SocketKit
import TestSupport
import Testing

/// What the file system refuses.
@Suite(.exclusive) struct UnixPermissionTests {
  /// Runs the body on a thread whose file accesses are nobody's (setfsuid(2)); nil where this process is not root.
  private func withNobodysFiles<R>(_ body: @escaping () -> R) -> R? {
    guard geteuid() == 0 else {
      unavailable("only root can be somebody else")
      return nil
    }
    return onThread {
      _ = setGroupID(65534)
      _ = setUserID(65534)
      return body()
    }
  }

  @Test func aFolderThatIsNotOursCannotBeListenedIn() throws {
    let folder = temporaryPath("d")
    #expect(Files.makeFolder(folder, mode: 0o755))
    defer { Files.removeFolder(folder) }
    let address = try UnixAddress(path: "\(folder)/s")
    let expected = SocketError(.failure(errno: EACCES), .bind).with(address: "\(folder)/s")
    let errors = withNobodysFiles { () -> [SocketError?] in
      [
        failure { () throws(SocketError) in _ = try UnixStreamSocket.listen(on: address) },
        failure { () throws(SocketError) in _ = try UnixSequencedPacketSocket.listen(on: address) },
        failure { () throws(SocketError) in _ = try UnixDatagramSocket.bind(to: address) },
      ]
    }
    guard let errors else { return }
    #expect(errors == [expected, expected, expected])
    #expect(expected.code == .permissionDenied)
    #expect(expected.remedy?.contains("write permission for its directory") == true)
    #expect(!Files.exists("\(folder)/s"))
  }

  @Test func aSocketsFileThatCannotBeWrittenCannotBeConnectedTo() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let listener = try UnixStreamSocket.listen(on: address)
    #expect(Files.setMode(0o600, of: path))
    let refused = withNobodysFiles {
      failure { () throws(SocketError) in _ = try UnixStreamSocket.connect(to: address, until: .after(patience)) }
    }
    guard let refused else { return }
    #expect(refused == SocketError(.failure(errno: EACCES), .connect).with(address: path))
    #expect(refused?.remedy?.contains("write permission for the socket file") == true)
    #expect(Files.setMode(0o666, of: path))
    let open = withNobodysFiles {
      failure { () throws(SocketError) in _ = try UnixStreamSocket.connect(to: address, until: .after(patience)) }
    }
    let accepted = try listener.accept() != nil
    #expect(open == .some(nil) && accepted)
  }
}

@_silgen_name("setfsuid") private func setUserID(_ id: UInt32) -> Int32
@_silgen_name("setfsgid") private func setGroupID(_ id: UInt32) -> Int32
