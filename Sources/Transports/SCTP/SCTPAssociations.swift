internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

// These methods establish, end and peel off the associations of a one-to-many socket.

extension SCTPOneToManySocket {
  /// Starts to establish an association without sending a message, and returns immediately, as ``connect(toAny:)``
  /// does.
  /// - Throws: the errors of ``connect(toAny:)``.
  public borrowing func connect(to address: IPSocketAddress) throws(SocketError) -> SCTPAssociationID {
    try connect(toAny: [address])
  }

  /// Starts to establish an association without sending a message, and returns immediately (SCTP_SOCKOPT_CONNECTX3).
  ///
  /// ``SCTPNotification/associationChange(_:)`` reports whether the association was established.
  ///
  /// - Parameter addresses: the peer's addresses, all with one port. The kernel tries these addresses in turn, and
  ///   receives the peer's other addresses from the peer.
  /// - Returns: the association's number. Messages can be sent to the association immediately.
  /// - Throws: `.invalidArgument` (no address, or several ports), `.alreadyConnected`, `.unreachable`. The error
  ///   contains the first address.
  public borrowing func connect(toAny addresses: [IPSocketAddress]) throws(SocketError) -> SCTPAssociationID {
    let (result, association) = descriptor.sctpConnect(to: addresses)
    if result.isFailure && result.errno != CSK_EINPROGRESS {
      throw SocketError(result, .connect).with(address: addresses.first?.description ?? "no address")
    }
    return association
  }

  /// Moves an association, together with the data that it has already received, to its own socket
  /// (SCTP_SOCKOPT_PEELOFF_FLAGS, Linux 4.13; SCTP_SOCKOPT_PEELOFF on earlier kernels).
  ///
  /// The kernel cannot convert the new socket to a one-to-one socket: SO_TYPE remains SOCK_SEQPACKET. The result is
  /// therefore a ``/SocketKitCore/SequencedPacketSocket``, which generic code accepts. The call switches on
  /// ``SCTPEvent/associationChange``, because only this notification reports the end of the association.
  /// - Throws: `.invalidArgument` (no such association, or already peeled off), `.tooManyDescriptors`. On failure, the
  ///   socket is unchanged.
  public borrowing func peelOff(_ association: SCTPAssociationID) throws(SocketError) -> SCTPAssociationSocket {
    guard association.isOne else { throw SocketError(code: .invalidArgument, .peelOff) }
    let raw = descriptor
    let wasOn = (try? option(.event(.associationChange), of: association)) ?? true
    // This code switches the event on before it peels off the association, so that the kernel reports the end of the
    // association in any case.
    let set = raw.attemptSetEvent(.associationChange, to: true, for: association)
    if set.isFailure { throw SocketError(set, .peelOff) }
    let result = raw.attemptPeelOff(association)
    if result.isFailure {
      if !wasOn { _ = raw.attemptSetEvent(.associationChange, to: false, for: association) }
      throw SocketError(result, .peelOff)
    }
    // The kernel has just made the descriptor, and nothing else owns it.
    let owned = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw)))
    return SCTPAssociationSocket(owning: owned)
  }

  /// Aborts one association immediately. Data that has not been delivered is lost (SCTP_ABORT).
  /// - Parameter reason: the bytes to send to the peer as the reason, at most about 1400. The peer reads the reason
  ///   with ``SCTPErrorCause/reason(in:)``.
  /// - Throws: `.brokenPipe` (no such association), `.destinationRequired`.
  public borrowing func abort(
    _ association: SCTPAssociationID, reason: Span<UInt8>
  ) throws(SocketError) {
    guard association.isOne else { throw SocketError(code: .destinationRequired, .abort) }
    let result = descriptor.attemptEnd(association, CSK_SCTP_ABORT, reason: reason)
    if result.isFailure { throw SocketError(result, .abort) }
  }
}

extension RawDescriptor {
  /// Ends an association by sending a message with the flag. The message is empty, or contains the reason of an abort.
  func attemptEnd(_ association: SCTPAssociationID, _ flag: Int32, reason: Span<UInt8>) -> IOResult {
    var ancillary = AncillaryBuffer<56>()
    do throws(SocketError) {
      try SCTPSendInfo(association: association).encode(into: &ancillary, adding: flag)
    } catch {
      return .failure(errno: CSK_EINVAL)
    }
    return attemptSendMessage(reason, ancillary: ancillary.bytes, to: RawSpan(), flags: [])
  }

  /// Peels off an association. Returns the number of the new descriptor, which is CLOEXEC and non-blocking.
  fileprivate func attemptPeelOff(_ association: SCTPAssociationID) -> IOResult {
    var request = csk_sctp_peeloff_flags()
    request.argument.association = association.rawValue
    request.flags = UInt32(CSK_SOCK_CLOEXEC | CSK_SOCK_NONBLOCK)
    var length = 0
    // The structure consists of integers.
    let result = unsafe readOption(CSK_IPPROTO_SCTP, CSK_SCTP_PEELOFF_FLAGS, intoStructure: &request, &length)
    if result.errno == CSK_ENOPROTOOPT { return attemptPlainPeelOff(association) }
    return result.isFailure ? result : IOResult(raw: Int(request.argument.descriptor))
  }

  /// Peels off an association with the older option, and sets the flags afterwards.
  private func attemptPlainPeelOff(_ association: SCTPAssociationID) -> IOResult {
    var request = csk_sctp_peeloff(association: association.rawValue, descriptor: -1)
    var length = 0
    // The structure consists of integers.
    let result = unsafe readOption(CSK_IPPROTO_SCTP, CSK_SCTP_PEELOFF, intoStructure: &request, &length)
    if result.isFailure { return result }
    let number = request.descriptor
    let setFlags = csk_fcntl(number, CSK_F_SETFL, Int(CSK_SOCK_NONBLOCK | CSK_O_RDWR))
    let setCloseOnExec = csk_fcntl(number, CSK_F_SETFD, Int(CSK_FD_CLOEXEC))
    if setFlags < 0 || setCloseOnExec < 0 {
      _ = csk_close(number)
      return IOResult(raw: min(setFlags, setCloseOnExec))
    }
    return IOResult(raw: Int(number))
  }
}
