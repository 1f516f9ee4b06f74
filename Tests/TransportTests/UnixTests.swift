import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct UnixTests {
  private func roundTrip(_ listener: borrowing Listener<UnixStreamSocket>) throws {
    let client = try UnixStreamSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    let server = try listener.accept(until: .after(.seconds(5)))
    try client.writeAll([1, 2, 3].span, until: .after(.seconds(5)))
    var buffer: [UInt8] = [0, 0, 0]
    try server.readExactly(into: buffer.mutableSpan, until: .after(.seconds(5)))
    #expect(buffer == [1, 2, 3])
    #expect(try client.remoteAddress() == listener.localAddress())
    #expect(try server.remoteAddress().isUnnamed)
  }

  @Test func aPathIsMadeAndUnlinkedWithItsListener() throws {
    let path = temporaryPath()
    do {
      let listener = try UnixStreamSocket.listen(on: UnixAddress(path: path))
      #expect(Files.exists(path))
      try roundTrip(listener)
    }
    #expect(!Files.exists(path), "by the end of its life")
    try UnixStreamSocket.listen(on: UnixAddress(path: path)).close()
    #expect(!Files.exists(path), "by close")
  }

  @Test func aDesertedPathIsCleaned() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    // Released: the socket closes without cleaning, as when a program dies.
    do { _ = try UnixStreamSocket.listen(on: address).release() }
    #expect(Files.exists(path))
    let listener = try UnixStreamSocket.listen(on: address)
    try roundTrip(listener)
  }

  @Test func aLivePathIsInUse() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let listener = try UnixStreamSocket.listen(on: address, backlog: 0)
    for _ in 0..<3 {
      do throws(SocketError) {
        _ = try UnixStreamSocket.listen(on: address)
        Issue.record("stole it")
      } catch {
        #expect(error.code == .addressInUse && error.operation == .bind && error.address == path)
      }
    }
    #expect(Files.exists(path))
    if let _ = try listener.accept() { Issue.record("the probes leave connections in its backlog") }
  }

  @Test func anotherFileIsNeverRemoved() throws {
    let path = temporaryPath()
    let file = Files.create(path)
    defer {
      close(file)
      CLibrary.unlink(path)
    }
    #expect(CLibrary.write(file, Array("mine".utf8)) == 4)
    #expect(throws: SocketError(.failure(errno: EADDRINUSE), .bind).with(address: path)) {
      _ = try UnixStreamSocket.listen(on: UnixAddress(path: path))
    }
    var status = stat()
    var own = stat()
    // The kernel fills the structures during the calls.
    let found = unsafe stat(path, &status) == 0 && fstat(file, &own) == 0
    #expect(found)
    #expect(status.st_ino == own.st_ino && status.st_size == 4, "it is another file now")
  }

  @Test func onlyTheFileThatWasMadeIsUnlinked() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let first = try UnixStreamSocket.listen(on: address)
    CLibrary.unlink(path)
    let second = try UnixStreamSocket.listen(on: address)
    try first.close()
    #expect(Files.exists(path), "it is the second one's")
    try roundTrip(second)
  }

  @Test func theListenerListensUntilItsPathIsGone() throws {
    // Unlinked before the descriptor closes: no moment in which the path is there and deserted.
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    for _ in 0..<50 {
      let listener = try UnixStreamSocket.listen(on: address)
      let descriptor = listener.descriptor
      try listener.close()
      #expect(fcntl(descriptor.value, F_GETFD) == -1 && !Files.exists(path))
    }
  }

  @Test func abstractNames() throws {
    let address = try UnixAddress(abstract: "socketkit-\(getpid())")
    let listener = try UnixStreamSocket.listen(on: address)
    #expect(try listener.localAddress() == address)
    try roundTrip(listener)
    #expect(throws: SocketError(.failure(errno: EADDRINUSE), .bind).with(address: "@socketkit-\(getpid())")) {
      _ = try UnixStreamSocket.listen(on: address)
    }
  }

  @Test func theLongestPathWorks() throws {
    let folder = temporaryPath("d")
    Files.makeFolder(folder)
    defer { Files.removeFolder(folder) }
    let path = folder + "/" + String(repeating: "p", count: 107 - folder.utf8.count - 1)
    let listener = try UnixStreamSocket.listen(on: UnixAddress(path: path))
    #expect(try listener.localAddress().path == path)
    try roundTrip(listener)
  }

  @Test func aMissingFolderIsNamed() throws {
    #expect(throws: SocketError(.failure(errno: ENOENT), .bind).with(address: "/no/such/folder/s")) {
      _ = try UnixStreamSocket.listen(on: UnixAddress(path: "/no/such/folder/s"))
    }
  }

  @Test func aPairIsConnectedBothWays() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.first.writeAll([7].span, until: .never)
    var buffer: [UInt8] = [0]
    try pair.second.readExactly(into: buffer.mutableSpan, until: .after(.seconds(1)))
    #expect(buffer == [7])
    try pair.first.shutdown(.write)
    #expect(try pair.second.read(into: buffer.mutableSpan) == .endOfStream)
    _ = try pair.second.write([8].span)
    #expect(try pair.first.read(into: buffer.mutableSpan) == .bytes(1))
    #expect(buffer == [8])
  }
}
