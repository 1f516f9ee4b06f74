internal import Glibc
internal import SocketKit

/// The sending end of `--verify`.
struct VerifySender<S: StreamSocket & ~Copyable>: ~Copyable {
  private var channel: FrameChannel<S>
  private let log: VscpLog
  private var buffer: [UInt8]

  init(_ channel: consuming FrameChannel<S>, _ log: VscpLog) {
    self.channel = channel
    self.log = log
    buffer = [UInt8](repeating: 0, count: FrameHeader.byteCount + transferBufferSize)
  }

  /// Sends the files in turn; `-` is standard input, under the name `stdin`.
  /// - Returns: whether the receiver says of every file that it is stored.
  /// - Throws: ``VerifyError``, `SocketError`.
  mutating func run(_ paths: [String]) throws -> Bool {
    try channel.greet()
    var isComplete = true
    for path in paths {
      do {
        let file = try open(path)
        let status = try file.status()
        if status.st_mode & S_IFMT == S_IFDIR { throw FileError(call: "read", path: path, errno: EISDIR) }
        // Files of the kernel's, as under /proc, say 0 whatever is in them.
        let size = status.fileSize.flatMap { $0 == 0 ? nil : $0 }
        let offer = Offer(size: size, mode: status.st_mode & 0o777, name: Self.name(of: path))
        if try !send(file, offer) { isComplete = false }
      } catch let error as FileError {
        isComplete = false
        log.always("failed to open input file: \(goQuoted("\(error)"))")
      }
    }
    try channel.send(.bye)
    channel.waitForEnd(until: .after(.seconds(5)))
    log.detail("transfer complete")
    return isComplete
  }

  private borrowing func open(_ path: String) throws(FileError) -> LocalFile {
    if path == "-" {
      log.detail("empty or stdin target, file will be read from stdin")
      return try .sharing(log.console.input, path: "/dev/stdin")
    }
    log.detail("opening file \(goQuoted(path)) for input")
    return try .reading(path)
  }

  private static func name(of path: String) -> [UInt8] {
    if path == "-" { return Array("stdin".utf8) }
    let parts = path.utf8.split(separator: UInt8(ascii: "/"))
    return Array((parts.last.map { Array($0) } ?? Array("/".utf8)).prefix(255))
  }

  /// - Returns: whether the receiver has stored it.
  private mutating func send(_ file: borrowing LocalFile, _ offer: Offer) throws -> Bool {
    try channel.send(.offer(offer))
    let offset: UInt64
    let theirs: SHA256Digest
    switch try channel.nextFrame(while: "after an offer") {
    case .accept(let number, let digest): (offset, theirs) = (number, digest)
    case .refuse(let reason):
      log.always("refused \(offer.shown): \(reason)")
      return false
    case let frame: throw VerifyError.unexpected(frame.kind, while: "after an offer")
    }
    var hash = try SHA256()
    let start = try resumption(file, offer, offset, theirs, &hash)
    try channel.send(.begin(offset: start))
    if start > 0 { log.always("resuming \(offer.shown) at \(start) bytes") }
    var meter = ProgressMeter(offer.shown, size: offer.size, start: start, console: log.console)
    while meter.done < offer.size ?? .max {
      let count: Int
      do throws(FileError) {
        count = try read(file, at: meter.done, offer)
      } catch {
        return try giveUp(offer, meter, Reason(.source, "\(error)"))
      }
      if count == 0 {
        if offer.size == nil { break }
        return try giveUp(offer, meter, Reason(.source, "the file has become shorter"))
      }
      try hash.update(buffer.span.bytes.extracting(FrameHeader.byteCount..<FrameHeader.byteCount + count))
      try channel.sendData(&buffer, count: count)
      meter.advance(by: count)
      if try channel.hasInput(), let reason = try failure() {
        meter.finish()
        log.always("the receiver failed to store \(offer.shown): \(reason)")
        try channel.send(.abort(Reason(.source, "stopped")))
        return false
      }
    }
    meter.finish()
    let digest = try hash.finish()
    try channel.send(.end(size: meter.done, digest))
    switch try channel.nextFrame(while: "after the end of a file") {
    case .stored(let stored):
      guard stored == digest else { throw VerifyError.wrongContent(.stored) }
      log.always("delivered \(offer.shown): \(meter.done) bytes, sha256 checksum: \(digest)")
      return true
    case .failed(let reason):
      log.always("the receiver failed to store \(offer.shown): \(reason)")
      return false
    case let frame: throw VerifyError.unexpected(frame.kind, while: "after the end of a file")
    }
  }

  private mutating func read(_ file: borrowing LocalFile, at done: UInt64, _ offer: Offer) throws(FileError) -> Int {
    let room = min(UInt64(transferBufferSize), (offer.size ?? .max) - done)
    var target = buffer.mutableSpan
    var bytes = target.mutableBytes
    var part = bytes._mutatingExtracting(FrameHeader.byteCount..<FrameHeader.byteCount + Int(room))
    return try file.read(into: &part)
  }

  private mutating func giveUp(_ offer: Offer, _ meter: ProgressMeter, _ reason: Reason) throws -> Bool {
    meter.finish()
    log.always("gave \(offer.shown) up: \(reason)")
    try channel.send(.abort(reason))
    return false
  }

  /// The receiver's complaint in the middle of a file; nil when it only says that it is at work.
  private mutating func failure() throws -> Reason? {
    switch try channel.next() {
    case .frame(.failed(let reason)): return reason
    case .frame(.wait): return nil
    case .frame(let frame): throw VerifyError.unexpected(frame.kind, while: "in the middle of a file")
    case .data: throw VerifyError.unexpected(.data, while: "in the middle of a file")
    }
  }

  /// Where to send from: behind what the receiver has, when that is the front of this very file. The hash, and the file,
  /// stand there then.
  private mutating func resumption(
    _ file: borrowing LocalFile, _ offer: Offer, _ offset: UInt64, _ theirs: SHA256Digest, _ hash: inout SHA256
  ) throws -> UInt64 {
    guard offset > 0, let size = offer.size, offset <= size else { return 0 }
    var front = try SHA256()
    var count: UInt64 = 0
    var lastSign = Deadline.after(.seconds(1))
    try forEachChunkOfFile(file, limit: offset) { bytes in
      try front.update(bytes)
      try hash.update(bytes)
      count += UInt64(bytes.byteCount)
      if lastSign.hasPassed {
        lastSign = .after(.seconds(1))
        try channel.send(.wait)
      }
    }
    if count == offset, try front.finish() == theirs { return offset }
    hash = try SHA256()
    try file.seek(to: 0)
    return 0
  }
}
