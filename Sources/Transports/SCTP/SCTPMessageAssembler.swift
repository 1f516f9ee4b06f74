internal import CSocketKit
public import SocketKitCore

/// The result of one receive call. `piece` is a piece that completes no message. `whole` is a complete message, a
/// notification or the end of the stream.
@usableFromInline
enum SCTPPiece {
  case piece
  case whole(SCTPArrival)
}

/// Receives whole SCTP messages of any length: assembles messages that arrive in pieces.
///
/// ```swift
/// var assembler = try SCTPMessageAssembler(for: socket, messageLimit: 1 << 20)
/// var bytes: [UInt8] = []
/// while case .message(let message) = try assembler.receive(into: &bytes, from: socket, until: .never) {
///   print(message.info?.stream as Any, bytes.count)
/// }
/// ```
/// A message arrives in pieces if it is longer than the buffer for one piece, or if the kernel delivers its beginning
/// before the rest has arrived (partial delivery, RFC 6458, 3.2). Partial delivery starts when
/// ``SocketKitCore/SocketOption/partialDeliveryPoint`` bytes of the message have arrived, or when the receive buffer is
/// full.
///
/// **Abandoned messages.** If the sender abandons a message after its beginning was delivered, the rest never arrives,
/// and the next piece belongs to another message. The kernel reports this with
/// ``SCTPNotification/partialDelivery(_:)``, which the assembler switches on. The assembler then drops the beginning of
/// the message. It also drops the unfinished messages of an association that ends or restarts.
///
/// **Interleaving.** The pieces of one message arrive in succession unless
/// ``SocketKitCore/SocketOption/fragmentInterleave`` is on. With that option, pieces from different associations of a
/// one-to-many socket may alternate. With ``SCTPAssociationOption/interleavingSupported``, pieces of different streams
/// may alternate too. The assembler assigns each piece to its message.
///
/// Use one assembler for each socket, and receive only through the assembler. Call `peelOff(_:)` only if the
/// association has no unfinished message, because the beginning of an unfinished message stays in this assembler.
public struct SCTPMessageAssembler: ~Copyable {
  /// The longest message that is assembled, in bytes.
  public let messageLimit: Int
  /// The maximum total size of unfinished messages, in bytes.
  public let totalLimit: Int
  @usableFromInline var piece: [UInt8]
  @usableFromInline var unfinished: [SCTPMessagePlace: SCTPUnfinishedMessage] = [:]
  private var held = 0

  /// Prepares a socket for the assembler.
  ///
  /// Switches on ``SCTPEvent/partialDelivery`` for all associations, and the information that identifies the message to
  /// which a piece belongs (SCTP_RECVRCVINFO).
  ///
  /// - Parameters:
  ///   - socket: a socket on which the program has not received anything yet.
  ///   - messageLimit: the longest message, in bytes, at least 1.
  ///   - totalLimit: the maximum total size of unfinished messages in bytes, at least `messageLimit`; nil for eight
  ///     times `messageLimit`. Each peer may begin a message on each of its streams.
  ///   - pieceCapacity: the size of the buffer for one receive call in bytes, 256 to 1073741824; 256 bytes are enough
  ///     for the fixed part of any notification. A message that is shorter than this buffer is received with one system
  ///     call and copied once.
  /// - Throws: `.invalidArgument` for numbers out of these ranges; `.closed`, `.notSupported` (Linux older than 5.0).
  public init(
    for socket: borrowing some SCTPMessaging & ~Copyable, messageLimit: Int, totalLimit: Int? = nil,
    pieceCapacity: Int = 65536
  ) throws(SocketError) {
    let total = totalLimit ?? max(messageLimit, 8 * min(max(messageLimit, 0), Int.max / 8))
    let isInRange = messageLimit > 0 && total >= messageLimit && (256...1 << 30).contains(pieceCapacity)
    self.messageLimit = messageLimit
    self.totalLimit = total
    piece = [UInt8](repeating: 0, count: isInRange ? pieceCapacity : 0)
    if !isInRange { throw SocketError(code: .invalidArgument, .setOption) }
    try socket.setOption(.event(.partialDelivery), of: .all, to: true)
    try socket.setOption(.receiveInfo, to: true)
  }

  /// The number of messages that have begun to arrive and are not complete.
  public var unfinishedCount: Int { unfinished.count }

  /// Receives pieces until a message is complete, without waiting. Unfinished messages are kept for the next call.
  ///
  /// - Parameters:
  ///   - bytes: receives the whole message or the notification, which replaces the previous content. The memory is
  ///     reused unless the message is assembled from pieces. Ranges in a notification are positions in these bytes.
  ///     With other results the bytes are unchanged.
  ///   - socket: the socket for which the assembler was made.
  /// - Returns: `.message`, always whole, with the information of its first piece; a notification; `.endOfStream`; nil
  ///   if nothing more can be received now.
  /// - Throws: `.messageTooLarge` with errno 0 if a message exceeds ``messageLimit``, and `.capacityExceeded` if the
  ///   unfinished messages exceed ``totalLimit``. Each is thrown once per message. The message is dropped with all its
  ///   remaining pieces, and the next call continues with the other messages. Also throws the errors of
  ///   ``SCTPMessaging/receive(into:flags:)``.
  @inlinable
  public mutating func receive<S: SCTPMessaging & ~Copyable>(
    into bytes: inout [UInt8], from socket: borrowing S
  ) throws(SocketError) -> SCTPArrival? {
    while true {
      switch try receivePiece(into: &bytes, from: socket) {
      case .whole(let arrival): return arrival
      case .piece: continue
      case nil: return nil
      }
    }
  }

  /// Receives pieces until a message is complete, waiting on this thread. Unfinished messages are kept for the next
  /// call, even after an error.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``receive(into:from:)``.
  @inlinable
  public mutating func receive<S: SCTPMessaging & ~Copyable>(
    into bytes: inout [UInt8], from socket: borrowing S, until limit: some WaitLimit
  ) throws(SocketError) -> SCTPArrival {
    var wait = try WaitOperation(.receive, until: limit)
    while true {
      switch try receivePiece(into: &bytes, from: socket) {
      case .whole(let arrival): return arrival
      case .piece:
        wait.progressed()
        try wait.check()
      case nil:
        do throws(SocketError) {
          try wait.block(on: socket, for: .readable)
        } catch {
          if error.code == .shutDown { return .endOfStream }
          throw error
        }
      }
    }
  }

  /// Drops all unfinished messages.
  public mutating func removeAll() {
    unfinished.removeAll()
    held = 0
  }

  /// Makes one receive call. Returns nil if the call would block.
  @inlinable
  mutating func receivePiece<S: SCTPMessaging & ~Copyable>(
    into bytes: inout [UInt8], from socket: borrowing S
  ) throws(SocketError) -> SCTPPiece? {
    let outcome: SCTPArrival?
    do throws(SocketError) {
      outcome = try socket.receive(into: piece.mutableSpan)
    } catch {
      // The socket's only association is lost, so its unfinished messages will never be complete.
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
    case .endOfStream: removeAll()
    case nil: break
    }
    return outcome.map { .whole($0) }
  }

  /// The length in the header of the notification in the buffer, but at most the length of the buffer.
  @usableFromInline var notificationLength: Int {
    min(piece.count, Int(piece.span.integerBytes.integer(at: 4, as: UInt32.self)))
  }

  @usableFromInline @inline(never)
  mutating func add(_ part: SCTPMessage, into bytes: inout [UInt8]) throws(SocketError) -> SCTPPiece {
    let place = SCTPMessagePlace(part)
    // The message is removed from the dictionary during the append, because appending to an array that the dictionary
    // also references would copy the array.
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
      return .piece
    }
    if whole.isDropped { return .piece }
    held -= whole.bytes.count
    swap(&bytes, &whole.bytes)
    var message = whole.first
    message.count = bytes.count
    message.next = part.next
    message.isComplete = true
    return .whole(.message(message))
  }

  /// Drops the messages that will not be finished.
  @usableFromInline @inline(never)
  mutating func note(_ notification: SCTPNotification) {
    if unfinished.isEmpty { return }
    switch notification {
    case .partialDelivery(let event) where event.isAborted:
      let before = unfinished.count
      drop {
        $0.association == event.association && $0.stream == event.stream && $0.isUnordered == event.isUnordered
      }
      // If fragments are not interleaved, the kernel does not report the stream, and the association has only one such
      // message.
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
