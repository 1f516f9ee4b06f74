internal import Glibc

/// Another program as the other end of a connection.
public final class PeerProcess {
  private var pid: pid_t = 0
  private let output: Int32

  /// Whether the program is on this machine.
  public static func exists(_ name: String) -> Bool {
    ["/usr/bin/", "/usr/local/bin/", "/bin/"].contains { access($0 + name, X_OK) == 0 }
      || String(cString: getenv("PATH") ?? strdup("")).split(separator: ":").contains {
        access("\($0)/\(name)", X_OK) == 0
      }
  }

  /// Starts it, with its standard output kept for ``finish()``; nil when it cannot be started.
  public init?(_ arguments: [String]) {
    var pipe: [Int32] = [-1, -1]
    guard pipe2(&pipe, O_CLOEXEC) == 0 else { return nil }
    output = pipe[0]
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    let failure = posix_spawnp(&pid, arguments[0], &actions, nil, &words, environ)
    close(pipe[1])
    guard failure == 0 else {
      close(output)
      return nil
    }
  }

  /// Waits for its end and returns its output and exit status.
  public func finish() -> (output: [UInt8], status: Int32) {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(output, &chunk, chunk.count)
      if count <= 0 { break }
      bytes += chunk.prefix(count)
    }
    close(output)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    pid = 0
    return (bytes, (status >> 8) & 0xff)
  }

  /// Waits until it has printed a text, half a minute at most, ends it with SIGKILL, and returns what it had printed:
  /// for programs that serve for ever.
  public func finish(after text: String) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    var readable = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    let end = milliseconds() + 30_000
    while !String(decoding: bytes, as: UTF8.self).contains(text), milliseconds() < end {
      if poll(&readable, 1, 1000) == 0 { continue }
      let count = read(output, &chunk, chunk.count)
      if count <= 0 { break }
      bytes += chunk.prefix(count)
    }
    signal(SIGKILL)
    return String(decoding: bytes + finish().output, as: UTF8.self)
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

@_silgen_name("pipe2") private func pipe2(_ pipe: UnsafeMutablePointer<Int32>, _ flags: Int32) -> Int32

/// A path in the temporary folder that nothing uses yet, short enough for a Unix socket.
public func temporaryPath(_ name: String = "s") -> String {
  "/tmp/sk-\(getpid())-\(UInt32.random(in: 0..<UInt32.max))-\(name)"
}

/// Whether this run must find everything: set where CI provides the peers and the permissions.
public var mustBeAvailable: Bool { getenv("SOCKETKIT_REQUIRE_ALL") != nil }
