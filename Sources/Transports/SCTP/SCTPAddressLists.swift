internal import CSocketKit
public import SocketKitCore

// The addresses of the two ends: several each, where hosts are multi-homed (RFC 6458, 9.1 to 9.5).

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// The addresses of this end, of an association or of the socket (`SCTP_GET_LOCAL_ADDRS`).
  ///
  /// A socket bound to any address has every address of this host here, as far as it may be used.
  /// - Parameter association: one of a one-to-many socket; `.future` for what the socket is bound to.
  /// - Throws: `.invalidArgument` for an association that is not there; `.outOfMemory`.
  public borrowing func localAddresses(
    of association: SCTPAssociationID = .future
  ) throws(SocketError) -> [IPSocketAddress] {
    try descriptor.sctpAddresses(CSK_SCTP_GET_LOCAL_ADDRS, association)
  }

  /// The addresses of the other end (`SCTP_GET_PEER_ADDRS`).
  /// - Parameter association: one of a one-to-many socket.
  /// - Throws: `.invalidArgument` for an association that is not there, so when not connected; `.outOfMemory`.
  public borrowing func peerAddresses(
    of association: SCTPAssociationID = .future
  ) throws(SocketError) -> [IPSocketAddress] {
    try descriptor.sctpAddresses(CSK_SCTP_GET_PEER_ADDRS, association)
  }

  /// Binds to more addresses of this host (`SCTP_SOCKOPT_BINDX_ADD`). An association that exists keeps the ones that it
  /// has, unless both ends support address changes (RFC 5061).
  ///
  /// - Parameter addresses: with the port that the socket has, or 0. An IPv6 socket takes IPv4 addresses too.
  /// - Throws: `.addressNotAvailable` (not one of this host's), `.addressInUse`, `.invalidArgument` (another port, the
  ///   other IP version, one that it has already, none), with the addresses. Those before the one that failed are
  ///   taken back by the kernel.
  public borrowing func addLocalAddresses(_ addresses: [IPSocketAddress]) throws(EndpointError) {
    try changeLocalAddresses(CSK_SCTP_BINDX_ADD, addresses)
  }

  /// Gives up addresses that the socket is bound to (`SCTP_SOCKOPT_BINDX_REM`): new associations do without them.
  ///
  /// - Throws: `.other` with EBUSY when nothing would remain; `.invalidArgument` for none, for another port, and for one
  ///   that it does not have, with the addresses.
  public borrowing func removeLocalAddresses(_ addresses: [IPSocketAddress]) throws(EndpointError) {
    try changeLocalAddresses(CSK_SCTP_BINDX_REM, addresses)
  }

  private borrowing func changeLocalAddresses(
    _ name: Int32, _ addresses: [IPSocketAddress]
  ) throws(EndpointError) {
    do throws(SocketError) {
      var addresses = addresses
      let own = try descriptor.localAddress()
      // A bound socket refuses port 0 although it means no other.
      if let port = IPSocketAddress(own)?.port, port != 0 {
        addresses = addresses.map { $0.port == 0 ? $0.with(port: port) : $0 }
      }
      try descriptor.setSCTPOption(name, toBytes: packed(addresses), .bindAddresses)
    } catch {
      throw EndpointError(error, address: SCTPAddressList.text(addresses))
    }
  }

  /// Binds an open socket to several addresses of this host at once, all with one port.
  ///
  /// - Parameter addresses: at least one; with port 0 in all of them the kernel chooses.
  /// - Throws: as ``addLocalAddresses(_:)``.
  public borrowing func bind(to addresses: [IPSocketAddress]) throws(EndpointError) {
    try changeLocalAddresses(CSK_SCTP_BINDX_ADD, addresses)
  }
}

extension RawDescriptor {
  /// The kernel tells how many there are only by failing on a buffer that is too small.
  func sctpAddresses(
    _ name: Int32, _ association: SCTPAssociationID
  ) throws(SocketError) -> [IPSocketAddress] {
    let header = MemoryLayout<csk_sctp_getaddrs>.size
    var room = 16 * 28
    while true {
      var bytes = [UInt8](repeating: 0, count: header + room)
      withUnsafeBytes(of: association.rawValue) { bytes.replaceSubrange(0..<4, with: $0) }
      var length = UInt32(bytes.count)
      let result = IOResult(raw: csk_getsockopt(value, CSK_IPPROTO_SCTP, name, &bytes, &length))
      if result.errno == CSK_ENOMEM && room < 1 << 20 {
        room *= 4
        continue
      }
      if result.isFailure { throw SocketError(result, .addresses) }
      return unpacked(bytes, count: Int(length))
    }
  }

  private func unpacked(_ bytes: [UInt8], count: Int) -> [IPSocketAddress] {
    let memory = bytes.span.bytes
    var addresses: [IPSocketAddress] = []
    var offset = MemoryLayout<csk_sctp_getaddrs>.size
    for _ in 0..<memory.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self) where offset < memory.byteCount {
      guard let address = IPSocketAddress(sockaddr: memory.extracting(droppingFirst: offset)) else { break }
      addresses.append(address.withoutNeedlessScope)
      offset += address.isIPv6 ? 28 : 16
    }
    return addresses
  }
}
