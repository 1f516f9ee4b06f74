internal import SocketKit

/// The receiver of the `--verify` protocol.
struct VerifyReceiver<S: StreamSocket & ~Copyable>: ~Copyable {
  private var channel: FrameChannel<S>
  private let place: ReceivingPlace
  private let log: VscpLog
  private var stored: Set<[UInt8]> = []
  private var isComplete = true

  init(_ channel: consuming FrameChannel<S>, _ place: consuming ReceivingPlace, _ log: VscpLog) {
    self.channel = channel
    self.place = place
    self.log = log
  }

  /// Receives files until the sender sends a "bye" frame.
  /// - Returns: whether at least one file was offered and every offered file is stored.
  /// - Throws: ``VerifyError``, `SocketError`. The unfinished file of the current transfer is kept.
  mutating func run() throws -> Bool {
    try channel.greet()
    while true {
      switch try channel.nextFrame(while: "between files") {
      case .bye:
        if isComplete && stored.isEmpty { log.always("the sender offered no file") }
        log.detail("transfer complete")
        return isComplete && !stored.isEmpty
      case .offer(let offer): try receive(offer)
      case let frame: throw VerifyError.unexpected(frame.kind, while: "between files")
      }
    }
  }

  private mutating func receive(_ offer: Offer) throws {
    let file: IncomingFile
    let name: [UInt8]
    do throws(Refusal) {
      if place.name != nil && !stored.isEmpty { throw Refusal(.oneFileOnly, "the receiver accepts only one file") }
      name = try place.finalName(for: offer.name)
      // The stored file must not be replaced, because the sender already has a delivery confirmation for it.
      if stored.contains(name) { throw Refusal(.nameTaken, "a file of that name was already received") }
      file = try IncomingFile(name, in: place)
    } catch {
      isComplete = false
      log.always("refused \(offer.shown): \(error.reason)")
      try channel.send(.refuse(error.reason))
      return
    }
    do {
      if try receive(offer, into: file) { stored.insert(name) }
    } catch {
      file.keep()
      throw error
    }
  }

  /// - Returns: whether the file is stored.
  private mutating func receive(_ offer: Offer, into file: borrowing IncomingFile) throws -> Bool {
    var hash = try SHA256()
    var offset: UInt64 = 0
    do {
      let found = try prepare(file, offer, &hash)
      offset = found.offset
      try channel.send(.accept(offset: offset, found.digest))
    } catch let error as FileError {
      isComplete = false
      let reason = Refusal(error).reason
      log.always("refused \(offer.shown): \(reason)")
      try channel.send(.refuse(reason))
      return false
    }
    guard case .begin(let start) = try channel.nextFrame(while: "after an accept"), start == 0 || start == offset
    else { throw VerifyError.unexpected(.begin, while: "with an offset that was not offered") }
    if start == 0 && offset > 0 { hash = try SHA256() }
    if start > 0 { log.always("resuming \(offer.shown) at \(start) bytes") }
    var meter = ProgressMeter(offer.shown, size: offer.size, start: start, console: log.console)
    var failure: Refusal?
    if start == 0 {
      do throws(FileError) {
        try file.restart()
      } catch {
        failure = Refusal(error)
      }
      if let failure { try fail(offer, failure) }
    }
    while true {
      switch try channel.next() {
      case .frame(.wait): continue
      case .data(let count):
        if failure != nil {
          channel.withData(count) { _ in }
          continue
        }
        meter.advance(by: count)
        if let size = offer.size, meter.done > size {
          channel.withData(count) { _ in }
          failure = Refusal(.size, "the sender sent more than the \(size) bytes that it offered")
          // The received bytes are not a prefix of the offered file. If the unfinished file cannot be truncated, its
          // checksum does not match in the next run.
          try? file.restart()
        } else {
          do {
            try channel.withData(count) {
              try hash.update($0)
              try file.write($0)
            }
          } catch let error as FileError {
            failure = Refusal(error)
          }
        }
        if let failure { try fail(offer, failure) }
      case .frame(.abort(let reason)):
        meter.finish()
        if failure == nil {
          isComplete = false
          log.always("the sender aborted \(offer.shown): \(reason)")
        }
        file.keep()
        return false
      case .frame(.end(let size, let digest)):
        meter.finish()
        if failure != nil {
          file.keep()
          return false
        }
        return try finish(offer, file, received: meter.done, size: size, own: try hash.finish(), digest)
      case .frame(let frame): throw VerifyError.unexpected(frame.kind, while: "in the middle of a file")
      }
    }
  }

  /// Returns the length and checksum of the bytes left by an earlier run, and adds them to `hash`.
  /// - Throws: `FileError`, and the errors of the connection.
  private borrowing func prepare(
    _ file: borrowing IncomingFile, _ offer: Offer, _ hash: inout SHA256
  ) throws -> (offset: UInt64, digest: SHA256Digest) {
    var part = try SHA256()
    guard file.size > 0, file.size <= offer.size ?? .max else { return (0, try part.finish()) }
    var signs = SignsOfWork()
    try file.forEachChunk { bytes in
      try part.update(bytes)
      try hash.update(bytes)
      if signs.isDue() { try channel.send(.wait) }
    }
    return (file.size, try part.finish())
  }

  private mutating func fail(_ offer: Offer, _ refusal: Refusal) throws {
    isComplete = false
    log.always("failed to store \(offer.shown): \(refusal.reason)")
    try channel.send(.failed(refusal.reason))
  }

  private mutating func finish(
    _ offer: Offer, _ file: borrowing IncomingFile, received: UInt64, size: UInt64, own: SHA256Digest,
    _ digest: SHA256Digest
  ) throws -> Bool {
    do {
      if received != size || size != offer.size ?? size {
        file.discard()
        throw Refusal(.size, "\(received) of \(size) bytes were received")
      }
      if own != digest {
        file.discard()
        throw Refusal(.checksum, "the checksum of the received bytes is \(own), but the sender's checksum is \(digest)")
      }
      try file.store(mode: offer.mode) { try channel.send(.wait) }
    } catch let error as Refusal {
      try fail(offer, error)
      return false
    }
    log.always("stored \(offer.shown): \(size) bytes, sha256 checksum: \(own)")
    try channel.send(.stored(own))
    return true
  }
}
