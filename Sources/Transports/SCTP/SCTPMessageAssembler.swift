internal import CSocketKit
public import SocketKitCore

/// Receives whole messages of SCTP, whatever their length: it puts together what comes in pieces.
///
/// ```swift
/// var assembler = try SCTPMessageAssembler(for: socket, messageLimit: 1 << 20)
/// var bytes: [UInt8] = []
/// while case .message(let message) = try assembler.receive(into: &bytes, from: socket, until: .never) {
///   print(message.info?.stream as Any, bytes.count)
/// }
/// ```
/// A message comes in pieces when it is longer than the room for one, and when the kernel delivers its front before the
/// rest has arrived (partial delivery, RFC 6458, 3.2), which it does from ``SocketOption/partialDeliveryPoint`` on and when
/// the receive buffer is full.
///
/// **A message that is given up.** When the sender gives a message up after its front was delivered, its rest never comes,
/// and the next piece belongs to another message. The kernel reports that with
/// ``SCTPNotification/partialDelivery(_:)``, which the assembler switches on. It drops the front then, as it does when an
/// association ends or begins again.
///
/// **Interleaving.** Pieces of different messages come one after the other unless ``SocketOption/fragmentInterleave`` is
/// on. With it those of different associations of a one-to-many socket may alternate, and with
/// ``SCTPAssociationOption/interleavingSupported`` those of different streams too. Each message is put together by itself.
///
/// Use one assembler for one socket, and no other calls that receive. Take an association out
/// (`peelOff(_:)`) when none of its messages is unfinished: what is here of one does not move along.
public struct SCTPMessageAssembler: ~Copyable {
  /// The longest message that is put together, in bytes.
  public let messageLimit: Int
  /// The most bytes that unfinished messages may have together.
  public let totalLimit: Int
  @usableFromInline var piece: [UInt8]
  @usableFromInline var unfinished: [SCTPMessagePlace: SCTPUnfinishedMessage] = [:]
  private var held = 0

  /// Prepares a socket: switches ``SCTPEvent/partialDelivery`` on, for all associations, and what says to which message a
  /// piece belongs (SCTP_RECVRCVINFO).
  ///
  /// - Parameters:
  ///   - socket: receives nothing yet.
  ///   - messageLimit: the longest message, in bytes, at least 1.
  ///   - totalLimit: the most bytes of unfinished messages together, at least `messageLimit`; nil for eight times
  ///     `messageLimit`. A peer may begin one message on each stream, and each of many peers may.
  ///   - pieceCapacity: bytes of room for one receive, at least 256, which holds the fixed part of any notification. Shorter
  ///     messages are received with one system call and are copied once.
  /// - Throws: `.closed`, `.notSupported` (Linux older than 5.0).
  public init(
    for socket: borrowing some SCTPMessaging & ~Copyable, messageLimit: Int, totalLimit: Int? = nil,
    pieceCapacity: Int = 65536
  ) throws(SocketError) {
    precondition(messageLimit > 0, "a message has at least 1 byte")
    let total = totalLimit ?? (messageLimit > Int.max / 8 ? .max : messageLimit * 8)
    precondition(total >= messageLimit, "the limit of all messages is at least that of one")
    precondition(pieceCapacity >= 256, "a notification needs 256 bytes")
    self.messageLimit = messageLimit
    self.totalLimit = total
    piece = [UInt8](repeating: 0, count: pieceCapacity)
    let result = socket.descriptor.attemptSetEvent(.partialDelivery, to: true, for: .all)
    if result.isFailure { throw SocketError(result, .setOption) }
    try socket.descriptor.setSCTPFlag(CSK_SCTP_RECVRCVINFO, to: true)
  }

  /// How many messages have begun and are not finished.
  public var unfinishedCount: Int { unfinished.count }

  /// Receives pieces until a message is whole, without waiting. What is here of unfinished messages stays for the next call.
  ///
  /// - Parameters:
  ///   - bytes: receives the whole message, or the notification to whose places its ranges refer, in place of what was in
  ///     it. Its memory is used again. Otherwise it is left as it was.
  ///   - socket: the one that the assembler was made for.
  /// - Returns: `.message`, always whole, with the infos of its first piece; a notification; `.wouldBlock`; or
  ///   `.endOfStream`.
  /// - Throws: `.messageTooLarge` with errno 0 when a message exceeds ``messageLimit``, and `.capacityExceeded` when the
  ///   unfinished messages exceed ``totalLimit``, once for the message at hand, which is dropped with all its pieces that
  ///   are still to come; the next call goes on with the other messages. And as
  ///   ``SCTPMessaging/receive(into:flags:)``.
  @inlinable
  public mutating func receive<S: SCTPMessaging & ~Copyable>(
    into bytes: inout [UInt8], from socket: borrowing S
  ) throws(SocketError) -> SCTPReceiveOutcome {
    while true {
      if let outcome = try receivePiece(into: &bytes, from: socket) { return outcome }
    }
  }

  /// Receives pieces until a message is whole, waiting on this thread. What is here of unfinished messages when the time is
  /// over stays for the next call.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(into:from:)``.
  @inlinable
  public mutating func receive<S: SCTPMessaging & ~Copyable>(
    into bytes: inout [UInt8], from socket: borrowing S, until deadline: Deadline,
    strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) -> SCTPArrival {
    var wait = try WaitOperation(.receive, until: deadline, strategy: strategy, control: control)
    while true {
      switch try receivePiece(into: &bytes, from: socket) {
      case .message(let message): return .message(message)
      case .notification(let notification): return .notification(notification)
      case .endOfStream: return .endOfStream
      case .wouldBlock: try wait.block(on: socket.readSource, for: .readable)
      case nil: try wait.check()
      }
    }
  }

  /// Forgets what is here of unfinished messages.
  public mutating func removeAll() {
    unfinished.removeAll()
    held = 0
  }

  /// One receive; nil where it brought a piece that does not finish its message.
  @inlinable
  mutating func receivePiece<S: SCTPMessaging & ~Copyable>(
    into bytes: inout [UInt8], from socket: borrowing S
  ) throws(SocketError) -> SCTPReceiveOutcome? {
    let outcome: SCTPReceiveOutcome
    do throws(SocketError) {
      outcome = try socket.receive(into: piece.mutableSpan)
    } catch {
      // One association's loss is that of its messages.
      if S.style != .oneToMany { removeAll() }
      throw error
    }
    switch outcome {
    case .message(let part):
      if !part.isComplete || !unfinished.isEmpty { return try add(part, into: &bytes) }
      if part.count > messageLimit { throw SocketError(code: .messageTooLarge, .receive) }
      bytes.removeAll(keepingCapacity: true)
      bytes.append(contentsOf: piece[..<part.count])
    case .notification(let notification):
      note(notification)
      bytes.removeAll(keepingCapacity: true)
      bytes.append(contentsOf: piece[..<notificationLength])
    case .wouldBlock: break
    case .endOfStream: removeAll()
    }
    return outcome
  }

  /// What the notification in the buffer says of its length, as far as the buffer has it.
  @usableFromInline var notificationLength: Int {
    min(piece.count, Int(piece.span.bytes.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self)))
  }

  @usableFromInline @inline(never)
  mutating func add(_ part: SCTPMessage, into bytes: inout [UInt8]) throws(SocketError) -> SCTPReceiveOutcome? {
    let place = SCTPMessagePlace(part)
    // Taken out, because bytes that the dictionary holds too would be copied.
    var whole = unfinished.removeValue(forKey: place) ?? SCTPUnfinishedMessage(part)
    if !whole.continues(with: part) {
      held -= whole.bytes.count
      whole = SCTPUnfinishedMessage(part)
    }
    if !whole.isDropped {
      let isTooLong = whole.bytes.count + part.count > messageLimit
      if isTooLong || (!part.isComplete && held + part.count > totalLimit) {
        held -= whole.bytes.count
        whole.bytes = []
        whole.isDropped = true
        if !part.isComplete { unfinished[place] = whole }
        throw SocketError(code: isTooLong ? .messageTooLarge : .capacityExceeded, .receive)
      }
      whole.bytes += piece[..<part.count]
      held += part.count
    }
    if !part.isComplete {
      unfinished[place] = whole
      return nil
    }
    if whole.isDropped { return nil }
    held -= whole.bytes.count
    swap(&bytes, &whole.bytes)
    var message = whole.first
    message.count = bytes.count
    message.next = part.next
    message.isComplete = true
    return .message(message)
  }

  /// Drops what will not be finished.
  @usableFromInline @inline(never)
  mutating func note(_ notification: SCTPNotification) {
    if unfinished.isEmpty { return }
    switch notification {
    case .partialDelivery(let event) where event.isAborted:
      let before = unfinished.count
      drop {
        $0.association == event.association && $0.stream == event.stream && $0.isUnordered == event.isUnordered
      }
      // Where fragments are not interleaved, the kernel does not say which stream's it was; there is only one then.
      if unfinished.count == before { drop { $0.association == event.association } }
    case .associationChange(let change) where change.isEnd || change.state == .restarted:
      drop { $0.association == change.association }
    default: break
    }
  }

  private mutating func drop(_ isWanted: (SCTPMessagePlace) -> Bool) {
    for (place, message) in unfinished where isWanted(place) {
      held -= message.bytes.count
      unfinished[place] = nil
    }
  }
}
