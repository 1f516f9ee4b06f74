import Glibc
import SocketKit
import TestSupport
import Testing

/// Paths that do not fit the kernel's address.
@Suite(.exclusive) struct UnixLongPathTests {
  /// Runs the body with a directory whose path alone has at least `length` bytes.
  private func inDeepFolder(_ length: Int = 150, _ body: (String) throws -> Void) throws {
    let root = temporaryPath("deep")
    var folders = [root]
    Files.makeFolder(root)
    while folders[folders.count - 1].utf8.count < length {
      folders.append(folders[folders.count - 1] + "/" + String(repeating: "d", count: 60))
      Files.makeFolder(folders[folders.count - 1])
    }
    defer { for folder in folders.reversed() { Files.removeFolder(folder) } }
    try body(folders[folders.count - 1])
  }

  @Test(arguments: [150, 3900]) func listeningAndConnecting(_ length: Int) throws {
    try inDeepFolder(length) { folder in
      func check<S: Transport & Acceptable<Void> & ~Copyable>(_ type: S.Type) throws where S.Address == UnixAddress {
        let path = try UnixPath(folder + "/control.sock")
        #expect(path.address == nil && "\(path)" == folder + "/control.sock")
        let before = openDescriptors().count
        do {
          let listener = try S.listen(on: path)
          let client = try S.connect(to: path, until: .after(patience))
          let server = try listener.accept(until: .after(patience))
          #expect(openDescriptors().count == before + 4, "two ends, a listener and its directory")
          // The short name, which leads to the file in this process only.
          let address = try listener.localAddress()
          #expect(address.path?.hasPrefix("/proc/self/fd/") == true && address.path?.hasSuffix("/control.sock") == true)
          #expect(try client.remoteAddress() == address)
          _ = try S.connect(to: address, until: .after(patience))
          let code = endpointFailure { () throws(SocketError) in _ = try S.listen(on: path) }
          #expect(code == .addressInUse)
          try server.shutdown(.both)
        }
        #expect(!Files.exists(folder + "/control.sock") && openDescriptors().count == before)
        // Deserted, and taken over.
        do { _ = try S.listen(on: path).release() }
        #expect(Files.exists(folder + "/control.sock"))
        let listener = try S.listen(on: path)
        _ = try S.connect(to: path, until: .after(patience))
        try listener.close()
        #expect(!Files.exists(folder + "/control.sock") && openDescriptors().count == before)
      }
      try check(UnixStreamSocket.self)
      try check(UnixSequencedPacketSocket.self)
    }
  }

  @Test func datagrams() throws {
    try inDeepFolder { folder in
      let path = try UnixPath(Array((folder + "/d").utf8) + [0xff])
      let server = try UnixDatagramSocket.bind(to: path)
      let client = try UnixDatagramSocket.connect(to: path)
      try client.send([5].span, to: nil, until: .after(patience))
      var buffer: [UInt8] = [0]
      var info = MessageInfo()
      let outcome = try server.receive(into: buffer.mutableSpan, &info)
      #expect(outcome == 1 && buffer == [5])
      try server.close()
      let error = try #require(failure { () throws(SocketError) in _ = try UnixDatagramSocket.connect(to: path) })
      #expect(error.code == .noSuchPath && error.address == folder + "/d%FF" && error.operation == .connect)
      do { _ = try UnixDatagramSocket.bind(to: path).releaseDescriptor() }
      let refused = try #require(failure { () throws(SocketError) in _ = try UnixDatagramSocket.connect(to: path) })
      #expect(refused.code == .connectionRefused && refused.address == folder + "/d%FF")
      try UnixDatagramSocket.bind(to: path).close()
    }
  }

  /// The listener removes its file where the directory is now, and nothing where it was.
  @Test func aDirectoryMayBeMoved() throws {
    try inDeepFolder { folder in
      Files.makeFolder(folder + "/a")
      let listener = try UnixStreamSocket.listen(on: UnixPath(folder + "/a/s"))
      #expect(Files.move(folder + "/a", to: folder + "/b"))
      #expect(Files.exists(folder + "/b/s"))
      _ = try UnixStreamSocket.connect(to: UnixPath(folder + "/b/s"), until: .after(patience))
      try listener.close()
      #expect(!Files.exists(folder + "/b/s"))
      Files.removeFolder(folder + "/b")
    }
  }

  @Test func shortPathsAreAddresses() throws {
    let path = try UnixPath(temporaryPath())
    let address = try #require(path.address)
    let listener = try UnixStreamSocket.listen(on: path)
    #expect(try listener.localAddress() == address)
    _ = try UnixStreamSocket.connect(to: path, until: .after(patience))
    try listener.close()
    let socket = try UnixDatagramSocket.bind(to: path)
    #expect(try UnixDatagramSocket.connect(to: path).connectedAddress() == address)
    try socket.close()
    #expect(!Files.exists(address.path ?? ""))
  }

  @Test func whatIsWrongWithAPathIsSaid() throws {
    for bytes in [[], [0x2f, 0, 0x78], [UInt8](repeating: 0x70, count: 4096)] {
      let error = try #require(failure { () throws(SocketError) in _ = try UnixPath(bytes) })
      #expect(error.code == (bytes.count == 4096 ? .addressTooLong : .invalidAddress) && error.operation == .parse)
    }
    try inDeepFolder { folder in
      let name = String(repeating: "n", count: 100)
      let long = try #require(
        failure { () throws(SocketError) in
          _ = try UnixStreamSocket.listen(on: UnixPath(folder + "/" + name))
        })
      #expect(
        long.code == .addressTooLong && long.address == folder + "/" + name && long.remedy?.contains("90") == true)
      let slash = try #require(
        failure { () throws(SocketError) in
          _ = try UnixStreamSocket.listen(on: UnixPath(folder + "/"))
        })
      #expect(slash.code == .invalidAddress)
      let missing = try #require(
        failure { () throws(SocketError) in
          _ = try UnixStreamSocket.listen(on: UnixPath(folder + "/no/s"))
        })
      #expect(missing.code == .noSuchPath && missing.operation == .bind && missing.address == folder + "/no/s")
      // The file is missing, not /proc.
      let nobody = try #require(
        failure { () throws(SocketError) in
          _ = try UnixStreamSocket.connect(to: UnixPath(folder + "/no"), until: .after(.seconds(5)))
        })
      #expect(nobody.code == .noSuchPath && nobody.operation == .connect && nobody.address == folder + "/no")
      #expect(nobody.remedy?.contains("/proc") == false)
      // For connecting, the last part may be as long as file systems allow.
      let socket = try UnixDatagramSocket.bind(to: UnixPath(folder + "/s"))
      let renamed = folder + "/" + String(repeating: "m", count: 255)
      #expect(Files.move(folder + "/s", to: renamed))
      #expect(try UnixDatagramSocket.connect(to: UnixPath(renamed)).send([1].span) == 1)
      try socket.close()
      CLibrary.unlink(renamed)
    }
  }
}
