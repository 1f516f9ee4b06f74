internal import CPrograms
internal import SocketKit

/// A stream as the sessions use it: beyond StreamSocket, whether descriptors go along.
protocol StressStream: StreamSocket, ~Copyable {
  static var passes: Bool { get }
  /// Sends bytes with a descriptor.
  borrowing func pass(
    _ bytes: [UInt8], _ descriptor: RawDescriptor, until limit: some WaitLimit
  ) throws(SocketError) -> Int
  /// Receives bytes, and the values of the event descriptors that came with them.
  borrowing func take(
    into buffer: inout [UInt8], _ values: inout [Int], until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome
}

extension TCPSocket: StressStream {
  static var passes: Bool { false }
  borrowing func pass(
    _ bytes: [UInt8], _ descriptor: RawDescriptor, until limit: some WaitLimit
  ) throws(SocketError) -> Int { fatalError("TCP passes no descriptors") }
  borrowing func take(
    into buffer: inout [UInt8], _ values: inout [Int], until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome { fatalError("TCP passes no descriptors") }
}

extension Transport where Self: KernelSocket & ~Copyable, Address == UnixAddress {
  borrowing func passed(
    _ bytes: [UInt8], _ descriptor: RawDescriptor, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    let descriptors: InlineArray<1, RawDescriptor> = [descriptor]
    return try sendDescriptors(descriptors.span, with: bytes.span, until: limit)
  }

  borrowing func taken(
    into buffer: inout [UInt8], _ values: inout [Int], _ info: inout MessageInfo, until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var received = ReceivedDescriptors<4>()
    let outcome = try receiveDescriptors(&received, into: buffer.mutableSpan, until: limit)
    info = received.info
    while let descriptor = received.takeFirst() { values.append(programs_event_take(descriptor.raw.value)) }
    return outcome
  }
}

extension UnixStreamSocket: StressStream {
  static var passes: Bool { true }
  borrowing func pass(
    _ bytes: [UInt8], _ descriptor: RawDescriptor, until limit: some WaitLimit
  ) throws(SocketError) -> Int { try passed(bytes, descriptor, until: limit) }
  borrowing func take(
    into buffer: inout [UInt8], _ values: inout [Int], until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var info = MessageInfo()
    return try taken(into: &buffer, &values, &info, until: limit)
  }
}

/// What receiving a message came to.
enum Fetched { case message(Int), nothing, end }

/// A socket of messages as the sessions use it: datagrams and packets by the same calls.
protocol StressMessages: MessageSocket, ~Copyable {
  static var passes: Bool { get }
  /// Messages may be lost.
  static var isLossy: Bool { get }
  /// The longest message that sessions send.
  static var longest: Int { get }
  /// Whether the peer's end is received: then ``shutdown(_:)`` of writing is it.
  static var hasEnd: Bool { get }
  borrowing func attemptPost(_ bytes: [UInt8]) throws(SocketError) -> Bool
  borrowing func post(_ bytes: [UInt8], until limit: some WaitLimit) throws(SocketError)
  borrowing func attemptFetch(
    into buffer: inout [UInt8], _ info: inout MessageInfo, flags: ReceiveFlags
  ) throws(SocketError) -> Fetched
  borrowing func fetch(
    into buffer: inout [UInt8], _ info: inout MessageInfo, until limit: some WaitLimit
  ) throws(SocketError) -> Fetched
  borrowing func pass(
    _ bytes: [UInt8], _ descriptor: RawDescriptor, until limit: some WaitLimit
  ) throws(SocketError)
  borrowing func take(
    into buffer: inout [UInt8], _ info: inout MessageInfo, _ values: inout [Int], until limit: some WaitLimit
  ) throws(SocketError) -> Fetched
}

extension DatagramSocket where Self: ~Copyable {
  borrowing func attemptPost(_ bytes: [UInt8]) throws(SocketError) -> Bool { try send(bytes.span) != nil }
  borrowing func post(_ bytes: [UInt8], until limit: some WaitLimit) throws(SocketError) {
    try send(bytes.span, to: nil, until: limit)
  }
  borrowing func attemptFetch(
    into buffer: inout [UInt8], _ info: inout MessageInfo, flags: ReceiveFlags
  ) throws(SocketError) -> Fetched {
    try receive(into: buffer.mutableSpan, &info, flags: flags).map { .message($0) } ?? .nothing
  }
  borrowing func fetch(
    into buffer: inout [UInt8], _ info: inout MessageInfo, until limit: some WaitLimit
  ) throws(SocketError) -> Fetched {
    .message(try receive(into: buffer.mutableSpan, &info, until: limit))
  }
}

extension Fetched {
  init(_ outcome: ReadOutcome?) {
    switch outcome {
    case .bytes(let count): self = .message(count)
    case nil: self = .nothing
    case .endOfStream: self = .end
    }
  }
}

extension UDPSocket: StressMessages {
  static var passes: Bool { false }
  static var isLossy: Bool { true }
  static var longest: Int { 9000 }
  static var hasEnd: Bool { false }
  borrowing func pass(
    _ bytes: [UInt8], _ descriptor: RawDescriptor, until limit: some WaitLimit
  ) throws(SocketError) { fatalError("UDP passes no descriptors") }
  borrowing func take(
    into buffer: inout [UInt8], _ info: inout MessageInfo, _ values: inout [Int], until limit: some WaitLimit
  ) throws(SocketError) -> Fetched { fatalError("UDP passes no descriptors") }
}

extension UnixDatagramSocket: StressMessages {
  static var passes: Bool { true }
  static var isLossy: Bool { false }
  static var longest: Int { 30_000 }
  static var hasEnd: Bool { false }
  borrowing func pass(
    _ bytes: [UInt8], _ descriptor: RawDescriptor, until limit: some WaitLimit
  ) throws(SocketError) { _ = try passed(bytes, descriptor, until: limit) }
  borrowing func take(
    into buffer: inout [UInt8], _ info: inout MessageInfo, _ values: inout [Int], until limit: some WaitLimit
  ) throws(SocketError) -> Fetched {
    Fetched(try taken(into: &buffer, &values, &info, until: limit))
  }
}

extension UnixSequencedPacketSocket: StressMessages {
  static var passes: Bool { true }
  static var isLossy: Bool { false }
  static var longest: Int { 30_000 }
  static var hasEnd: Bool { true }
  borrowing func attemptPost(_ bytes: [UInt8]) throws(SocketError) -> Bool { try send(bytes.span) != nil }
  borrowing func post(_ bytes: [UInt8], until limit: some WaitLimit) throws(SocketError) {
    try send(bytes.span, until: limit)
  }
  borrowing func attemptFetch(
    into buffer: inout [UInt8], _ info: inout MessageInfo, flags: ReceiveFlags
  ) throws(SocketError) -> Fetched { Fetched(try receive(into: buffer.mutableSpan, &info, flags: flags)) }
  borrowing func fetch(
    into buffer: inout [UInt8], _ info: inout MessageInfo, until limit: some WaitLimit
  ) throws(SocketError) -> Fetched {
    Fetched(try receive(into: buffer.mutableSpan, &info, until: limit))
  }
  borrowing func pass(
    _ bytes: [UInt8], _ descriptor: RawDescriptor, until limit: some WaitLimit
  ) throws(SocketError) { _ = try passed(bytes, descriptor, until: limit) }
  borrowing func take(
    into buffer: inout [UInt8], _ info: inout MessageInfo, _ values: inout [Int], until limit: some WaitLimit
  ) throws(SocketError) -> Fetched {
    Fetched(try taken(into: &buffer, &values, &info, until: limit))
  }
}
