internal import Glibc
internal import SocketKit

/// The sender of the `--verify` protocol.
struct VerifySender<S: StreamSocket & ~Copyable>: ~Copyable {
  private var channel: FrameChannel<S>
  private let log: VscpLog
  private var buffer: [UInt8]
  /// The name of the last file that the sender aborted, or nil if no failure report for this file can be in flight.
  private var unheard: String?

  init(_ channel: consuming FrameChannel<S>, _ log: VscpLog) {
    self.channel = channel
    self.log = log
    buffer = [UInt8](repeating: 0, count: FrameHeader.byteCount + transferBufferSize)
  }

  /// Sends the files in order; `-` is standard input, sent under the name `stdin`.
  /// - Returns: whether the receiver confirmed every file as stored.
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

  /// - Returns: whether the receiver has stored the file.
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
    // Kernel files, such as those under /proc, report size 0 even if they have content, and a part of standard
    // input may already have been read.
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
      // The receiver waits for a "begin" frame. This offset makes the receiver keep its existing bytes.
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
        // The total time limit has passed, so the remaining files cannot be sent either.
        if channel.limits.total.hasPassed { throw error }
        return try giveUp(offer, Reason(.source, "\(error)"))
      }
      guard let count = result else { continue }
      if count == 0 {
        if offer.size == nil { break }
        meter.finish()
        return try giveUp(offer, Reason(.source, "the file became shorter during the transfer"))
      }
      try hash.update(buffer.span.extracting(FrameHeader.byteCount..<FrameHeader.byteCount + count))
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

  /// Returns the receiver's answer to an offer. A failure report for the previous file may arrive first, if the
  /// receiver sent it before it received the abort of that file.
  private mutating func answer() throws -> Frame {
    while true {
      let frame = try channel.nextFrame(while: "after an offer")
      guard let name = unheard.take(), case .failed(let reason) = frame else { return frame }
      log.always("the receiver failed to store \(name): \(reason)")
    }
  }

  /// - Returns: the number of bytes, 0 at the end of the file; nil if there is input from the receiver.
  private mutating func read(_ file: borrowing LocalFile, at done: UInt64, _ offer: Offer) throws(FileError) -> Int? {
    let room = min(UInt64(transferBufferSize), (offer.size ?? .max) - done)
    let (deadline, socket) = (channel.limits.next, channel.watchedForInput)
    var target = buffer.mutableSpan
    var part = target._mutatingExtracting(FrameHeader.byteCount..<FrameHeader.byteCount + Int(room))
    return try file.read(into: &part, until: deadline, beside: socket)
  }

  private mutating func giveUp(_ offer: Offer, _ reason: Reason) throws -> Bool {
    log.always("aborted \(offer.shown): \(reason)")
    try channel.send(.abort(reason))
    unheard = offer.shown
    return false
  }

  /// Returns the failure that the receiver has reported in the middle of a file, or nil.
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

  /// Returns the offset of the first byte to send: the size of the receiver's data if that data is a prefix of this
  /// file, otherwise 0. Also sets the hash and the file offset for the returned offset.
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
      count += UInt64(bytes.count)
      if signs.isDue() { try channel.send(.wait) }
    }
    if count == offset, try front.finish() == theirs { return offset }
    hash = try SHA256()
    try file.seek(to: 0)
    return 0
  }
}
