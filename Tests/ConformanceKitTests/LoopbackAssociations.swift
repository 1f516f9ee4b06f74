import Glibc
import SocketKit
import TestSupport

/// Associations over datagrams on loopback, as a third party would write them: the first byte of each datagram is its
/// kind, and the peer's address is the association. Lost datagrams are not sent again.
struct LoopbackAssociations<Base: DatagramSocket & ~Copyable, Fault: AssociationFault>: ~Copyable, OneToManySocket {
  typealias Address = Base.Address
  typealias Association = Base.Address

  private let state: AssociationState<Base, Fault>

  init(_ base: consuming Base) { state = AssociationState(base) }

  static var capabilities: SocketCapabilities { [] }
  var readSource: RawDescriptor { state.base.readSource }
  var writeSource: RawDescriptor { state.base.writeSource }
  borrowing func localAddress() throws(SocketError) -> Address { try state.base.localAddress() }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { state.base.attemptShutdown(direction) }
  // The state closes the descriptor.
  consuming func attemptClose() -> IOResult { .zero }

  borrowing func connect(to address: Address) throws(SocketError) -> Address {
    let result = state.send(.hello, to: address)
    if result.isFailure { throw SocketError(result, .connect) }
    Fault.connected()
    state.begin(address)
    return address
  }

  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from association: inout Address?, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    let isPeek = flags.contains(.peek) && !Fault.ignoresPeek
    while true {
      association = nil
      var datagram = [UInt8](repeating: 0, count: 65536)
      let result = state.receive(into: &datagram, &info, flags: isPeek ? .peek : [])
      if result.isWouldBlock { return Fault.nothing(&association, state.known(), &info) }
      if result.isFailure { return result }
      guard result.raw > 0, let sender = Address(info.address) else { continue }
      let kind = DatagramKind(rawValue: datagram[0])
      if kind == .data, state.isKnown(sender) {
        association = Fault.reported(sender, state.known())
        let length = min(result.raw - 1, buffer.count)
        for index in 0..<length { buffer[index] = datagram[index + 1] }
        if Fault.scribbles, length < buffer.count {
          buffer[length] = 0
        }
        info.length = result.raw - 1
        return IOResult(raw: result.raw - 1)
      }
      if let end = state.end(kind, sender, isPeek: isPeek), !Fault.swallowsEnds {
        association = sender
        info = MessageInfo()
        info.flags = .notification
        return end
      }
      // Everything else is not for the caller.
      if isPeek { _ = state.receive(into: &datagram, &info, flags: []) }
    }
  }

  borrowing func attemptSend(_ bytes: Span<UInt8>, on association: Address, flags: SendFlags) -> IOResult {
    if !state.isOpen(association) {
      return Fault.swallowsLateSends ? IOResult(raw: bytes.count) : .failure(errno: EPIPE)
    }
    let message = [UInt8](copying: bytes)
    for receiver in Fault.receivers(association, state.known()) {
      for piece in state.pieces(message, for: receiver) {
        let result = state.send(.data, to: receiver, piece)
        if result.isWouldBlock { return Fault.noRoom() }
        if result.isFailure { return result }
      }
    }
    return IOResult(raw: Fault.reportedLength(message.count))
  }

  borrowing func attemptEnd(_ association: Address, gracefully: Bool) -> IOResult {
    if !state.isOpen(association) { return .failure(errno: EPIPE) }
    for peer in Fault.ended(association, state.known()) {
      let isGraceful = gracefully || Fault.shutsDownInsteadOfAborting
      let result = state.send(isGraceful ? .goodbye : .abort, to: peer)
      if result.isFailure { return result }
      state.close(peer, gracefully: gracefully)
    }
    return .zero
  }
}

/// For the rule on messages without a destination.
extension LoopbackAssociations: MessageSocket where Base: ~Copyable {
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    var association: Address?
    return attemptReceive(into: &buffer, from: &association, flags: flags, &info)
  }

  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    guard let address = address.isEmpty ? nil : Address(sockaddr: address) else {
      return .failure(errno: Fault.noDestination)
    }
    return attemptSend(bytes, on: address, flags: flags)
  }
}
