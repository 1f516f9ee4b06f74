import Glibc
import SocketKit
import SocketKitConformance
import Synchronization
import TestSupport

/// A wrapper that needs room to write in order to read: after each 256 KiB that it has handed out, it must send an
/// acknowledgement before it hands out more, as TLS does when the peer asks for new keys. Both ends must use it.
///
/// On the wire, the byte 0xff begins a code of two bytes (``WireCode``); all other bytes stand for themselves. So data
/// and codes can be cut everywhere. The wrapper holds what it has decoded and not handed out. While it cannot send its
/// acknowledgement, it reads on and holds the bytes, and sends no data: otherwise two ends that both need room would
/// wait for each other.
struct AcknowledgingSocket<Base: StreamSocket & ~Copyable, Fault: AcknowledgingFault>: ~Copyable, StreamSocket {
  typealias Address = Base.Address

  // Declared first, so that it is destroyed before the base closes.
  let drain: UnreadAcknowledgements
  let base: Base
  let state = Mutex(AcknowledgingState())

  init(_ base: consuming Base) {
    drain = UnreadAcknowledgements(source: base.readSource)
    self.base = base
  }
  static var capabilities: SocketCapabilities { Base.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult {
    _ = consume drain
    return base.attemptClose()
  }
  borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }

  var pending: Readiness {
    let canRead = state.withLock { ($0.held.count > 0 || $0.failure != nil) && !$0.isBlocked }
    return canRead ? base.pending.union(.readable) : base.pending
  }

  borrowing func sources(for interest: Interest) -> Interest {
    let needed = state.withLock { state -> Interest in
      guard state.isBlocked, interest.contains(.readable), Fault.namesTheOtherDirection else { return interest }
      // At the end of the stream the descriptor stays readable.
      return (state.hasEnded ? interest.subtracting(.readable) : interest).union(.writable)
    }
    return base.sources(for: needed).union(.changes)
  }

  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    var hasChanged = false
    let result = state.withLock { state -> IOResult in
      if buffer.count == 0 { return .zero }
      let wasBlocked = state.isBlocked
      state.acknowledge { base.attemptSend($0) }
      hasChanged = wasBlocked && !state.isBlocked
      if state.isBlocked {
        while state.fill({ base.attemptReceive(into: &$0) }).raw > 0 {}
        return .wouldBlock
      }
      while state.held.isEmpty {
        if let failure = state.failure.take() { return failure }
        let result = state.fill { base.attemptReceive(into: &$0) }
        if result.raw <= 0 { return result }
        hasChanged = true
      }
      return IOResult(raw: state.take(into: &buffer))
    }
    if hasChanged { announceChanges() }
    return result
  }

  borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult {
    var hasChanged = false
    let result = state.withLock { state -> IOResult in
      if bytes.count == 0 { return .zero }
      let wasBlocked = state.isBlocked
      state.acknowledge { base.attemptSend($0) }
      hasChanged = wasBlocked && !state.isBlocked
      return state.isBlocked ? .wouldBlock : state.send(bytes) { base.attemptSend($0) }
    }
    if hasChanged { announceChanges() }
    return result
  }

  /// Wakes readers and writers of other threads, which may wait on different descriptors.
  private borrowing func announceChanges() {
    readSource.announceChanges()
    if writeSource != readSource { writeSource.announceChanges() }
  }
}

/// What a broken wrapper that needs room to write does otherwise.
protocol AcknowledgingFault: Sendable {
  /// Whether it says that a read needs room to write.
  static var namesTheOtherDirection: Bool { get }
}
enum SoundAcknowledging: AcknowledgingFault {
  static var namesTheOtherDirection: Bool { true }
}
enum WaitsInTheWrongDirection: AcknowledgingFault {
  static var namesTheOtherDirection: Bool { false }
}

/// The bytes that follow 0xff on the wire.
private enum WireCode {
  static var begin: UInt8 { 0xff }
  /// The data byte 0xff.
  static var literal: UInt8 { 0 }
  /// An acknowledgement.
  static var acknowledgement: UInt8 { 1 }
  /// Nothing: completes a code that was begun for a byte that then was not sent.
  static var nothing: UInt8 { 2 }
}

/// Reads what the peer has acknowledged when its life ends: bytes that are unread at a close reset the connection.
struct UnreadAcknowledgements: ~Copyable {
  let source: RawDescriptor

  deinit {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    // The array outlives the call.
    for _ in 0..<100 where unsafe recv(source.value, &bytes, bytes.count, Int32(MSG_DONTWAIT)) <= 0 { return }
  }
}

struct AcknowledgingState {
  /// The number of bytes between two acknowledgements.
  private static var interval: Int { 1 << 18 }

  var held = HeldBytes()
  /// The failure of a read, which the next call returns.
  var failure: IOResult?
  private(set) var hasEnded = false
  /// Whether an acknowledgement was due at the last call, and there was no room for it.
  private(set) var isBlocked = false
  private var isDue = false
  private var handedOut = 0
  /// Whether the last byte received, or sent, begins a code.
  private var isInsideReceived = false
  private var isInsideSent = false

  /// Reads once and decodes.
  mutating func fill(_ read: (inout MutableSpan<UInt8>) -> IOResult) -> IOResult {
    var wire = [UInt8](repeating: 0, count: 1 << 14)
    var bytes = wire.mutableSpan
    let result = read(&bytes)
    if result.raw == 0 { hasEnded = true }
    if result.isFailure && !result.isWouldBlock && isDue { failure = result }
    var rest = wire.prefix(max(0, result.raw))
    while let first = rest.first {
      if isInsideReceived {
        isInsideReceived = false
        if first == WireCode.literal { held.append(CollectionOfOne(WireCode.begin)) }
        rest = rest.dropFirst()
      } else {
        let plain = rest.prefix(Self.plainCount(rest))
        held.append(plain)
        rest = rest[plain.endIndex...]
        if !rest.isEmpty {
          isInsideReceived = true
          rest = rest.dropFirst()
        }
      }
    }
    return result
  }

  /// The number of bytes before the first code.
  private static func plainCount(_ bytes: ArraySlice<UInt8>) -> Int {
    // memchr(3) returns nil or a pointer into the same bytes.
    unsafe bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let found = unsafe memchr(base, Int32(WireCode.begin), bytes.count) else {
        return bytes.count
      }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  /// Hands out bytes up to the next acknowledgement.
  mutating func take(into buffer: inout MutableSpan<UInt8>) -> Int {
    let count = held.take(Self.interval - handedOut, into: &buffer)
    handedOut += count
    if handedOut == Self.interval {
      handedOut = 0
      isDue = true
    }
    return count
  }

  /// Sends an acknowledgement that is due. After a failure none is due, because nobody reads it.
  mutating func acknowledge(_ write: (Span<UInt8>) -> IOResult) {
    while isDue {
      let code = isInsideSent ? [WireCode.acknowledgement] : [WireCode.begin, WireCode.acknowledgement]
      let result = write(code.span)
      isBlocked = result.isWouldBlock
      if isBlocked { return }
      isInsideSent = result.raw == 1 && code.count == 2
      isDue = isInsideSent
    }
    isBlocked = false
  }

  /// Sends at most 16 KiB; returns the number of bytes that were sent completely.
  mutating func send(_ bytes: Span<UInt8>, _ write: (Span<UInt8>) -> IOResult) -> IOResult {
    let piece = [UInt8](copying: bytes.extracting(first: min(1 << 14, bytes.count)))
    while true {
      let result = write(encoded(piece).span)
      if result.raw <= 0 { return result }
      let (count, isInside) = complete(piece, result.raw)
      isInsideSent = isInside
      if count > 0 { return IOResult(raw: count) }
    }
  }

  private func encoded(_ piece: [UInt8]) -> [UInt8] {
    var wire: [UInt8] = []
    wire.reserveCapacity(piece.count + piece.count / 64 + 1)
    var rest = piece[...]
    if isInsideSent {
      let isLiteral = piece[0] == WireCode.begin
      wire.append(isLiteral ? WireCode.literal : WireCode.nothing)
      if isLiteral { rest = rest.dropFirst() }
    }
    while !rest.isEmpty {
      let plain = rest.prefix(Self.plainCount(rest))
      wire += plain
      rest = rest[plain.endIndex...]
      if !rest.isEmpty {
        wire += [WireCode.begin, WireCode.literal]
        rest = rest.dropFirst()
      }
    }
    return wire
  }

  /// The number of bytes that so many bytes on the wire complete, and whether these end inside a code.
  private func complete(_ piece: [UInt8], _ sent: Int) -> (count: Int, isInside: Bool) {
    var left = sent
    var count = 0
    if isInsideSent {
      left -= 1
      if piece[0] == WireCode.begin { count = 1 }
    }
    while left > 0 {
      let length = piece[count] == WireCode.begin ? 2 : 1
      if length > left { return (count, true) }
      left -= length
      count += 1
    }
    return (count, false)
  }
}
