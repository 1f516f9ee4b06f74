public import SocketKitCore

/// The conformance rules of a byte stream, run with connected pairs.
///
/// ```swift
/// let suite = StreamSocketSuite<MySocket>("mine") { try MySocket.pair() }
/// ```
/// Eleven of the rules correspond to test cases of Go's `nettest.TestConn`.
public struct StreamSocketSuite<S: StreamSocket & ~Copyable>: ConformanceSuite {
  public let name: String
  let makePair: @Sendable () throws -> SocketPair<S>
  private let more: [ConformanceRule]

  /// - Parameters:
  ///   - name: the name of the transport in reports.
  ///   - makePair: creates two connected sockets for each rule. May block, and may throw ``ConformanceUnavailable``
  ///     with the cause.
  public init(_ name: String, makePair: @escaping @Sendable () throws -> SocketPair<S>) {
    self.init(named: name, makePair: makePair, more: [])
  }

  init(named name: String, makePair: @escaping @Sendable () throws -> SocketPair<S>, more: [ConformanceRule]) {
    self.name = name
    self.makePair = makePair
    self.more = more
  }

  /// Creates the suite for a wrapper. Each wrapper in a pair has a ``DripSocket`` as its base, which makes most reads
  /// and writes partial.
  ///
  /// ```swift
  /// let suite = StreamSocketSuite("metered") {
  ///   try UnixStreamSocket.pair()
  /// } wrapping: {
  ///   MeteredSocket($0)
  /// }
  /// ```
  /// - Parameters:
  ///   - name: the name of the wrapper in reports.
  ///   - makeBase: creates two connected plain sockets for each rule. May block, and may throw
  ///     ``ConformanceUnavailable`` with the cause.
  ///   - wrap: creates a wrapper over one of these sockets.
  public init<Base: StreamSocket & ~Copyable>(
    _ name: String, over makeBase: @escaping @Sendable () throws -> SocketPair<Base>,
    wrapping wrap: @escaping @Sendable (consuming DripSocket<Base>) throws -> S
  ) {
    let makePair: @Sendable () throws -> SocketPair<S> = {
      try makeBase().split { near, far in
        let first = try wrap(DripSocket(near))
        return SocketPair(first, try wrap(DripSocket(far)))
      }
    }
    self.init(named: name, makePair: makePair, more: [])
  }

  public var rules: [ConformanceRule] {
    transferRules + readRules + writeRules + endingRules + resetRules + timeoutRules + deadlineRules + cancelRules
      + signalRules + concurrencyRules + descriptorRules + sleepRules + shutdownRules + heldByteRules + more
  }

  /// Creates a rule for one connected pair. The rule is omitted if the transport lacks the capabilities.
  func rule(
    _ id: String, strength: ConformanceRule.Strength = .required, needs capabilities: SocketCapabilities = [],
    _ summary: String, _ body: @escaping @Sendable (Ends<S>) throws -> Void
  ) -> [ConformanceRule] {
    guard S.capabilities.isSuperset(of: capabilities) else { return [] }
    let makePair = makePair
    return [
      ConformanceRule("stream.\(id)", strength: strength, summary) {
        try Ends(makePair).use(body)
      }
    ]
  }
}

/// The two ends of a connection, for use by several threads.
struct Ends<S: StreamSocket & ~Copyable>: Sendable {
  let near: Shared<S>
  let far: Shared<S>

  init(_ makePair: () throws -> SocketPair<S>) throws {
    var ends: Ends?
    try makePair().split { near, far in ends = Ends(Shared(near), Shared(far)) }
    guard let ends else { throw ConformanceFailure("the pair could not be split") }
    self = ends
  }

  private init(_ near: Shared<S>, _ far: Shared<S>) {
    self.near = near
    self.far = far
  }

  /// Runs `body`, then closes both ends. If `body` fails, the function shuts both ends down instead of closing them, so
  /// that pending calls return. An end is then closed when the last thread releases it.
  func use(_ body: (Ends) throws -> Void) throws {
    do {
      try body(self)
      near.close()
      far.close()
    } catch {
      near.shutDownIfOpen()
      far.shutDownIfOpen()
      throw error
    }
  }
}

extension Shared where Value: StreamSocket & ~Copyable {
  /// Reads until the end of the stream or until `count` bytes have been read.
  func readAll(upTo count: Int = .max, chunk: Int = 65536, until deadline: Deadline) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: chunk)
    while bytes.count < count {
      if buffer.count > count - bytes.count { buffer.removeLast(buffer.count - (count - bytes.count)) }
      switch try value.read(into: buffer.mutableSpan, until: deadline) {
      case .bytes(let n): bytes += buffer.prefix(n)
      case .endOfStream: return bytes
      }
    }
    return bytes
  }

  /// Waits and reads once; returns an empty array at the end of the stream.
  func readSome(until limit: some WaitLimit) throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65536)
    switch try value.read(into: buffer.mutableSpan, until: limit) {
    case .bytes(let count): return Array(buffer.prefix(count))
    case .endOfStream: return []
    }
  }

  func shutDownIfOpen() {
    if isOpen { try? value.shutdown(.both) }
  }

  func readExactly(_ count: Int, until deadline: Deadline = .after(Times.limit)) throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    try value.readExactly(into: buffer.mutableSpan, until: deadline)
    return buffer
  }

  func writeAll(_ bytes: [UInt8], until deadline: Deadline = .after(Times.limit)) throws {
    try value.writeAll(bytes.span, until: deadline)
  }

  /// Attempts to read once.
  func readOnce(_ room: Int = 1024) throws -> (outcome: ReadOutcome?, bytes: [UInt8]) {
    var buffer = [UInt8](repeating: 0, count: room)
    let outcome = try value.read(into: buffer.mutableSpan)
    if case .bytes(let count) = outcome { return (outcome, Array(buffer.prefix(count))) }
    return (outcome, [])
  }

  /// Writes zeros until the kernel accepts no more; returns the number of bytes accepted.
  func fill() throws -> Int {
    let bytes = [UInt8](repeating: 0, count: 65536)
    var total = 0
    while let count = try value.write(bytes.span) {
      total += count
      try require(total < 1 << 28, "2^28 bytes were accepted although the peer does not read")
    }
    return total
  }

  /// Writes zeros, waiting for free buffer space, until an error occurs; returns the error and the number of bytes
  /// accepted.
  func writeUntilError(until limit: some WaitLimit) throws -> (SocketError, Int) {
    let bytes = [UInt8](repeating: 0, count: 65536)
    var total = 0
    while true {
      do throws(SocketError) {
        total += try value.write(bytes.span, until: limit)
      } catch {
        return (error, total)
      }
      try require(total < 1 << 28, "2^28 bytes were accepted although the peer does not read")
    }
  }
}

extension Ends where S: ~Copyable {
  /// Sends a byte in each direction, to check that the connection still works.
  func roundTrip(_ why: String) throws {
    try near.writeAll([0x5a])
    try requireEqual(try far.readExactly(1), [0x5a], "the byte sent to the far end, \(why)")
    try far.writeAll([0xa5])
    try requireEqual(try near.readExactly(1), [0xa5], "the byte sent to the near end, \(why)")
  }

  /// Discards the zeros that a rule has sent but not read: sends a marker, and reads up to this marker.
  func resynchronize() throws {
    let far = far
    let reader = RuleThread {
      let deadline = Deadline.after(Times.limit)
      var last: UInt8?
      while last != 0xff {
        // The marker is the last byte sent, so it is the last byte of the read that returns it.
        last = try far.readSome(until: deadline).last
        try require(last != nil, "the stream ended before the marker")
      }
    }
    try near.writeAll([0xff])
    try reader.join()
  }
}
