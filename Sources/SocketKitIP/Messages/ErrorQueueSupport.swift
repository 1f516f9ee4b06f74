internal import CSocketKit
public import SocketKitCore

extension RawDescriptor {
  /// Checks that this socket has an error queue. Most address families without an error queue ignore MSG_ERRQUEUE, so
  /// an attempt to read the error queue would receive an ordinary message.
  /// - Throws: `.notSupported`, `.closed`, `.notASocket`.
  @usableFromInline
  func requireErrorQueue() throws(SocketError) {
    do throws(SocketError) {
      if try hasErrorQueue(socketKind()) { return }
    } catch {
      throw SocketError(code: error.code, .receive, errno: error.errno)
    }
    throw SocketError(code: .notSupported, .receive)
  }

  /// Returns whether recvmsg(2) handles MSG_ERRQUEUE for this kind of socket. The list is taken from the kernel's
  /// source (Linux 6.18). The result is false for all other kinds of sockets: Unix, netlink, SCTP, L2TP, TIPC, KCM,
  /// CAN's broadcast manager, and Bluetooth, which handles the flag only since Linux 6.15.
  private func hasErrorQueue(_ kind: SocketKind) -> Bool {
    switch (kind.family.rawValue, kind.type) {
    case (CSK_AF_INET, .raw), (CSK_AF_INET6, .raw): true
    case (CSK_AF_INET, _), (CSK_AF_INET6, _):
      [
        CSK_IPPROTO_ICMP, CSK_IPPROTO_TCP, CSK_IPPROTO_UDP, CSK_IPPROTO_ICMPV6, CSK_IPPROTO_UDPLITE, CSK_IPPROTO_MPTCP,
      ].contains(kind.protocolNumber)
    case (CSK_AF_PACKET, _): true
    case (CSK_AF_CAN, _): kind.protocolNumber == CSK_CAN_RAW || kind.protocolNumber == CSK_CAN_J1939
    case (CSK_AF_VSOCK, .stream), (CSK_AF_VSOCK, .sequencedPacket): takesZeroCopy
    default: false
    }
  }

  /// Whether SO_ZEROCOPY can be set. On vsock sockets this shows whether there is an error queue, because Linux 6.7
  /// added both.
  private var takesZeroCopy: Bool {
    var value: Int32 = 0
    var length = 0
    return !readOption(CSK_SOL_SOCKET, CSK_SO_ZEROCOPY, into: &value, &length).isFailure
      && !writeOption(CSK_SOL_SOCKET, CSK_SO_ZEROCOPY, value).isFailure
  }
}
