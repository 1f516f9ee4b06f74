/// A violation of the `--verify` protocol by the peer; PROTOCOL.md describes the protocol in full.
enum VerifyError: Error, Equatable, CustomStringConvertible {
  case notTheProtocol
  case unknownVersion(UInt8)
  case sameRole
  case unknownFrame(UInt8)
  case reservedBytes(UInt8)
  case wrongLength(FrameKind, UInt32)
  case wrongContent(FrameKind)
  case unexpected(FrameKind, while: String)
  case endedEarly

  var description: String {
    switch self {
    case .notTheProtocol: "the other end does not use the protocol of --verify; both ends need this option"
    case .unknownVersion(let version): "the other end uses the unsupported version \(version) of the protocol"
    case .sameRole: "both ends send, or both ends receive"
    case .unknownFrame(let kind): "the other end sent a frame of the unknown kind \(kind)"
    case .reservedBytes(let kind): "the other end sent a frame of kind \(kind) in which reserved bytes are not zero"
    case .wrongLength(let kind, let length):
      "the other end sent a frame \"\(kind)\" with the invalid length of \(length) bytes"
    case .wrongContent(let kind): "the other end sent a frame \"\(kind)\" with invalid contents"
    case .unexpected(let kind, let moment): "the other end sent a frame \"\(kind)\" \(moment)"
    case .endedEarly: "the other end closed the connection before the transfer was complete"
    }
  }
}

enum VerifyRole: UInt8 {
  case sender = 1
  case receiver = 2

  static let magic = Array("SKVSCP".utf8)
  static let version: UInt8 = 1
  static let helloCount = 8

  var hello: [UInt8] { Self.magic + [Self.version, rawValue] }

  /// Validates the peer's hello.
  func check(_ bytes: [UInt8]) throws(VerifyError) {
    guard bytes.count == Self.helloCount, bytes.starts(with: Self.magic) else { throw .notTheProtocol }
    if bytes[6] == 0 { throw .unknownVersion(0) }
    guard let other = VerifyRole(rawValue: bytes[7]) else { throw .notTheProtocol }
    if other == self { throw .sameRole }
  }
}

enum FrameKind: UInt8, CaseIterable {
  case offer = 1
  case accept, refuse, begin, data, end, abort, stored, failed, bye, wait

  /// The permitted payload lengths.
  var lengths: ClosedRange<UInt32> {
    switch self {
    case .offer: 13...12 + 255
    case .accept, .end: 40...40
    case .refuse, .abort, .failed: 2...2 + 1024
    case .begin: 8...8
    case .data: 1...1_048_576
    case .stored: 32...32
    case .bye, .wait: 0...0
    }
  }
}

/// The eight-byte header before a payload: kind and length.
struct FrameHeader: Equatable {
  static let byteCount = 8
  let kind: FrameKind
  let length: Int

  init(_ kind: FrameKind, length: Int) {
    self.kind = kind
    self.length = length
  }

  init(parsing bytes: ArraySlice<UInt8>) throws(VerifyError) {
    let first = bytes[bytes.startIndex]
    guard let kind = FrameKind(rawValue: first) else { throw .unknownFrame(first) }
    if bytes.dropFirst().prefix(3) != [0, 0, 0] { throw .reservedBytes(first) }
    let length = UInt32(truncatingIfNeeded: number(bytes.dropFirst(4).prefix(4)))
    guard kind.lengths.contains(length) else { throw .wrongLength(kind, length) }
    self.init(kind, length: Int(length))
  }

  var bytes: [UInt8] { [kind.rawValue, 0, 0, 0] + bigEndian(UInt64(length), 4) }
}

/// The reason why a file was rejected or was not sent completely.
struct Reason: Equatable, CustomStringConvertible {
  enum Code: UInt16 {
    case name = 1
    case nameTaken, storage, checksum, size, busy, source, oneFileOnly
  }

  /// The raw value of a ``Code``, or a code of a later protocol version.
  let code: UInt16
  let text: String

  init(_ code: Code, _ text: String) {
    self.code = code.rawValue
    // Truncate at a character boundary.
    var kept = text.prefix(1024)
    while kept.utf8.count > 1024 { kept = kept.dropLast() }
    self.text = String(kept)
  }

  init(parsing bytes: ArraySlice<UInt8>) {
    code = UInt16(truncatingIfNeeded: number(bytes.prefix(2)))
    text = String(decoding: bytes.dropFirst(2), as: UTF8.self)
  }

  var bytes: [UInt8] { bigEndian(UInt64(code), 2) + Array(text.utf8) }

  /// The peer's text, escaped so that it cannot change the terminal's display.
  var description: String { escaped(text) }
}

/// A file that the sender offers.
struct Offer: Equatable {
  /// The size, or nil if it is unknown, as for a pipe.
  let size: UInt64?
  /// The permission bits, at most 0o777.
  let mode: UInt32
  let name: [UInt8]

  /// The name, quoted for display.
  var shown: String { goQuoted(name) }
}

/// A frame of any kind except data.
enum Frame: Equatable {
  case offer(Offer)
  case accept(offset: UInt64, SHA256Digest)
  case refuse(Reason)
  case begin(offset: UInt64)
  case end(size: UInt64, SHA256Digest)
  case abort(Reason)
  case stored(SHA256Digest)
  case failed(Reason)
  case bye
  case wait

  var kind: FrameKind {
    switch self {
    case .offer: .offer
    case .accept: .accept
    case .refuse: .refuse
    case .begin: .begin
    case .end: .end
    case .abort: .abort
    case .stored: .stored
    case .failed: .failed
    case .bye: .bye
    case .wait: .wait
    }
  }

  /// The header and payload as bytes.
  var bytes: [UInt8] {
    let payload: [UInt8] =
      switch self {
      case .offer(let offer): bigEndian(offer.size ?? .max, 8) + bigEndian(UInt64(offer.mode), 4) + offer.name
      case .accept(let offset, let digest): bigEndian(offset, 8) + digest.bytes
      case .begin(let offset): bigEndian(offset, 8)
      case .end(let size, let digest): bigEndian(size, 8) + digest.bytes
      case .refuse(let reason), .abort(let reason), .failed(let reason): reason.bytes
      case .stored(let digest): digest.bytes
      case .bye, .wait: []
      }
    return FrameHeader(kind, length: payload.count).bytes + payload
  }

  /// Parses a payload, whose length was validated when the header was parsed.
  init(_ kind: FrameKind, parsing payload: ArraySlice<UInt8>) throws(VerifyError) {
    switch kind {
    case .offer:
      let size = number(payload.prefix(8))
      let mode = number(payload.dropFirst(8).prefix(4))
      guard mode <= 0o777, size == .max || size <= UInt64(Int64.max) else { throw .wrongContent(kind) }
      self = .offer(
        Offer(size: size == .max ? nil : size, mode: UInt32(mode), name: Array(payload.dropFirst(12))))
    case .accept, .end:
      let offset = number(payload.prefix(8))
      guard offset <= UInt64(Int64.max), let digest = SHA256Digest(payload.dropFirst(8)) else {
        throw .wrongContent(kind)
      }
      self = kind == .accept ? .accept(offset: offset, digest) : .end(size: offset, digest)
    case .begin:
      let offset = number(payload)
      guard offset <= UInt64(Int64.max) else { throw .wrongContent(kind) }
      self = .begin(offset: offset)
    case .refuse: self = .refuse(Reason(parsing: payload))
    case .abort: self = .abort(Reason(parsing: payload))
    case .failed: self = .failed(Reason(parsing: payload))
    case .stored:
      guard let digest = SHA256Digest(payload) else { throw .wrongContent(kind) }
      self = .stored(digest)
    case .bye: self = .bye
    case .wait: self = .wait
    case .data: throw .wrongContent(kind)
    }
  }
}

private func bigEndian(_ number: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64(count - 1 - $0))) }
}

private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
