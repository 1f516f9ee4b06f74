internal import Glibc
internal import SocketKit

/// The sending end of `--verify`.
struct VerifySender<S: StreamSocket & ~Copyable>: ~Copyable {
  private var channel: FrameChannel<S>
  private let log: VscpLog
  private var buffer: [UInt8]
  /// The file given up last, as long as the receiver's complaint about it may be on its way.
  private var unheard: String?

  init(_ channel: consuming FrameChannel<S>, _ log: VscpLog) {
    self.channel = channel
    self.log = log
    buffer = [UInt8](repeating: 0, count: FrameHeader.byteCount + transferBufferSize)
  }

  /// Sends the files in turn; `-` is standard input, under the name `stdin`.
  /// - Returns: whether the receiver says of every file that it is stored.
  /// - Throws: ``VerifyError``, `SocketError`.
  mutating func run(_ paths: [Word]) throws -> Bool {
    try channel.greet()
    var isComplete = true
    for path in paths {
      if try !send(path) { isComplete = false }
    }
    try channel.send(.bye)
    channel.waitForEnd(until: .after(.seconds(5)))
    log.detail("transfer complete")
    return isComplete
  }

  /// - Returns: whether the receiver has stored it.
  private mutating func send(_ path: Word) throws -> Bool {
    let file: LocalFile
    do throws(FileError) {
      file = try open(path)
    } catch {
      return noInput(error)
    }
    let offer: Offer
    do throws(FileError) {
      offer = try Self.offer(of: file, path)
    } catch {
      return noInput(error)
    }
    return try send(file, offer)
  }

  private borrowing func noInput(_ error: FileError) -> Bool {
    log.always("failed to open input file: \(error.quoted)")
    return false
  }

  private borrowing func open(_ path: Word) throws(FileError) -> LocalFile {
    if path == "-" {
      log.detail("empty or stdin target, file will be read from stdin")
      return try .sharing(log.console.input, path: "/dev/stdin")
    }
    log.detail("opening file \(goQuoted(path.bytes)) for input")
    return try .reading(path, waits: false)
  }

  private static func offer(of file: borrowing LocalFile, _ path: Word) throws(FileError) -> Offer {
    let status = try file.status()
    if status.st_mode & S_IFMT == S_IFDIR { throw FileError(call: "read", path: path, errno: EISDIR) }
    // Files of the kernel's, as under /proc, say 0 whatever is in them; standard input may have been read from.
    let size = status.fileSize
    let isKnown = size != 0 && file.isAtStart
    return Offer(size: isKnown ? size : nil, mode: status.st_mode & 0o777, name: name(of: path))
  }

  private static func name(of path: Word) -> [UInt8] {
    if path == "-" { return Array("stdin".utf8) }
    let parts = path.bytes.split(separator: UInt8(ascii: "/"))
    return Array((parts.last.map { Array($0) } ?? Array("/".utf8)).prefix(255))
  }

  private mutating func send(_ file: borrowing LocalFile, _ offer: Offer) throws -> Bool {
    try channel.send(.offer(offer))
    let offset: UInt64
    let theirs: SHA256Digest
    switch try answer() {
    case .accept(let number, let digest): (offset, theirs) = (number, digest)
    case .refuse(let reason):
      log.always("refused \(offer.shown): \(reason)")
      return false
    case let frame: throw VerifyError.unexpected(frame.kind, while: "after an offer")
    }
    var hash = try SHA256()
    let start: UInt64
    do {
      start = try resumption(file, offer, offset, theirs, &hash)
    } catch let error as FileError {
      // The receiver waits for a beginning; with this one it keeps what it has.
      try channel.send(.begin(offset: offset))
      return try giveUp(offer, Reason(.source, "\(error)"))
    }
    try channel.send(.begin(offset: start))
    if start > 0 { log.always("resuming \(offer.shown) at \(start) bytes") }
    var meter = ProgressMeter(offer.shown, size: offer.size, start: start, console: log.console)
    while meter.done < offer.size ?? .max {
      if let reason = try complaint() {
        meter.finish()
        log.always("the receiver failed to store \(offer.shown): \(reason)")
        try channel.send(.abort(Reason(.source, "stopped")))
        return false
      }
      let result: Int?
      do throws(FileError) {
        result = try read(file, at: meter.done, offer)
      } catch {
        meter.finish()
        // Then there is no time left for the other files.
        if channel.limits.total.hasPassed { throw error }
        return try giveUp(offer, Reason(.source, "\(error)"))
      }
      guard let count = result else { continue }
      if count == 0 {
        if offer.size == nil { break }
        meter.finish()
        return try giveUp(offer, Reason(.source, "the file has become shorter"))
      }
      try hash.update(buffer.span.bytes.extracting(FrameHeader.byteCount..<FrameHeader.byteCount + count))
      try channel.sendData(&buffer, count: count)
      meter.advance(by: count)
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

  /// The receiver's answer to an offer. Before it there may come a complaint about the file before, which crossed the
  /// abort of that.
  private mutating func answer() throws -> Frame {
    while true {
      let frame = try channel.nextFrame(while: "after an offer")
      guard let name = unheard.take(), case .failed(let reason) = frame else { return frame }
      log.always("the receiver failed to store \(name): \(reason)")
    }
  }

  /// - Returns: nil when the receiver has something to say.
  private mutating func read(_ file: borrowing LocalFile, at done: UInt64, _ offer: Offer) throws(FileError) -> Int? {
    let room = min(UInt64(transferBufferSize), (offer.size ?? .max) - done)
    let (deadline, socket) = (channel.limits.next, channel.watchedForInput)
    var target = buffer.mutableSpan
    var bytes = target.mutableBytes
    var part = bytes._mutatingExtracting(FrameHeader.byteCount..<FrameHeader.byteCount + Int(room))
    return try file.read(into: &part, until: deadline, beside: socket)
  }

  private mutating func giveUp(_ offer: Offer, _ reason: Reason) throws -> Bool {
    log.always("gave \(offer.shown) up: \(reason)")
    try channel.send(.abort(reason))
    unheard = offer.shown
    return false
  }

  /// What the receiver has come to complain of in the middle of a file; nil when it has not.
  private mutating func complaint() throws -> Reason? {
    while try channel.hasInput() {
      switch try channel.next() {
      case .frame(.failed(let reason)): return reason
      case .frame(.wait): continue
      case .frame(let frame): throw VerifyError.unexpected(frame.kind, while: "in the middle of a file")
      case .data: throw VerifyError.unexpected(.data, while: "in the middle of a file")
      }
    }
    return nil
  }

  /// Where to send from: behind what the receiver has, when that is the front of this very file. The hash, and the file,
  /// stand there then.
  private mutating func resumption(
    _ file: borrowing LocalFile, _ offer: Offer, _ offset: UInt64, _ theirs: SHA256Digest, _ hash: inout SHA256
  ) throws -> UInt64 {
    guard offset > 0, let size = offer.size, offset <= size else { return 0 }
    var front = try SHA256()
    var count: UInt64 = 0
    var signs = SignsOfWork()
    try forEachChunkOfFile(file, limit: offset) { bytes in
      try front.update(bytes)
      try hash.update(bytes)
      count += UInt64(bytes.byteCount)
      if signs.isDue() { try channel.send(.wait) }
    }
    if count == offset, try front.finish() == theirs { return offset }
    hash = try SHA256()
    try file.seek(to: 0)
    return 0
  }
}
