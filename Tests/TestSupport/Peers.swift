internal import Glibc

/// Another program as the other end of a connection.
public final class PeerProcess {
  private var pid: pid_t = 0
  private let output: Int32

  /// Whether the program is on this machine.
  public static func exists(_ name: String) -> Bool {
    let folders = ["/usr/bin", "/usr/local/bin", "/bin"] + (environmentVariable("PATH") ?? "").split(separator: ":")
    return folders.contains { isExecutable("\($0)/\(name)") }
  }

  /// Starts it, with its standard output kept for ``finish()``; nil when it cannot be started.
  public init?(_ arguments: [String]) {
    let pipe = CLibrary.pipe()
    output = pipe.readEnd
    let process = startProgram(arguments, [(0, nil), (1, pipe.writeEnd)])
    close(pipe.writeEnd)
    guard let process else {
      close(output)
      return nil
    }
    pid = process
  }

  /// Waits for its end and returns its output and exit status.
  public func finish() -> (output: [UInt8], status: Int32) {
    var bytes: [UInt8] = []
    while readOutput(&bytes) {}
    close(output)
    var status: Int32 = 0
    // The kernel writes the status only during the call.
    unsafe waitpid(pid, &status, 0)
    pid = 0
    return (bytes, (status >> 8) & 0xff)
  }

  /// Waits until it has printed a text, half a minute at most, ends it with SIGKILL, and returns what it had printed:
  /// for programs that serve for ever.
  public func finish(after text: String) -> String {
    var bytes: [UInt8] = []
    let end = milliseconds() + 30_000
    while !String(decoding: bytes, as: UTF8.self).contains(text), milliseconds() < end {
      if polledEvents(output, for: POLLIN, milliseconds: 1000) ?? 0 == 0 { continue }
      if !readOutput(&bytes) { break }
    }
    signal(SIGKILL)
    return String(decoding: bytes + finish().output, as: UTF8.self)
  }

  /// Appends what it has printed; waits until there is something. False at the end.
  private func readOutput(_ bytes: inout [UInt8]) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = CLibrary.read(output, into: &chunk)
    bytes += chunk.prefix(max(0, count))
    return count > 0
  }

  /// Sends it a signal, SIGKILL to end it in the middle of something. Its status is 0 then.
  public func signal(_ number: Int32) { kill(pid, number) }

  deinit {
    if pid != 0 {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
      close(output)
    }
  }
}

/// A path in the temporary folder that nothing uses yet, short enough for a Unix socket.
public func temporaryPath(_ name: String = "s") -> String {
  "/tmp/sk-\(getpid())-\(UInt32.random(in: 0..<UInt32.max))-\(name)"
}

/// Whether this run must find everything: set where CI provides the peers and the permissions.
public var mustBeAvailable: Bool { environmentVariable("SOCKETKIT_REQUIRE_ALL") != nil }
