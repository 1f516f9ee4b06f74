internal import CSocketKit
public import SocketKitCore

// The addresses of the two ends. Multi-homed hosts have several each (RFC 6458, 9.1 to 9.5).

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Returns the addresses of this end, of an association or of the socket (`SCTP_GET_LOCAL_ADDRS`).
  ///
  /// If the socket is bound to any address, the result contains every address of this host that the socket may use.
  /// - Parameter association: an association of a one-to-many socket; `.future` for the addresses to which the socket
  ///   is bound.
  /// - Throws: `.invalidArgument` if the association does not exist; `.outOfMemory`.
  public borrowing func localAddresses(
    of association: SCTPAssociationID = .future
  ) throws(SocketError) -> [IPSocketAddress] {
    try descriptor.sctpAddresses(CSK_SCTP_GET_LOCAL_ADDRS, association)
  }

  /// Returns the addresses of the other end (`SCTP_GET_PEER_ADDRS`).
  /// - Parameter association: an association of a one-to-many socket.
  /// - Throws: `.invalidArgument` if the association does not exist, for example if the socket is not connected;
  ///   `.outOfMemory`.
  public borrowing func peerAddresses(
    of association: SCTPAssociationID = .future
  ) throws(SocketError) -> [IPSocketAddress] {
    try descriptor.sctpAddresses(CSK_SCTP_GET_PEER_ADDRS, association)
  }

  /// Binds the socket to more addresses of this host (`SCTP_SOCKOPT_BINDX_ADD`).
  ///
  /// An existing association keeps its addresses, unless both ends support address changes (RFC 5061).
  ///
  /// - Parameter addresses: the addresses, with the socket's port or with port 0. An IPv6 socket also accepts IPv4
  ///   addresses.
  /// - Throws: `.addressNotAvailable` (not an address of this host), `.addressInUse`, `.invalidArgument` (another port,
  ///   the other IP version, an address that is already bound, no address). The error contains the addresses. On
  ///   failure, the kernel unbinds the addresses before the failing one again.
  public borrowing func addLocalAddresses(_ addresses: [IPSocketAddress]) throws(SocketError) {
    try changeLocalAddresses(CSK_SCTP_BINDX_ADD, addresses)
  }

  /// Unbinds the socket from addresses (`SCTP_SOCKOPT_BINDX_REM`): new associations do not use them.
  ///
  /// - Throws: `.other` with EBUSY if no address would remain; `.invalidArgument` for no address, for another port, and
  ///   for an address to which the socket is not bound. The error contains the addresses.
  public borrowing func removeLocalAddresses(_ addresses: [IPSocketAddress]) throws(SocketError) {
    try changeLocalAddresses(CSK_SCTP_BINDX_REM, addresses)
  }

  private borrowing func changeLocalAddresses(
    _ name: Int32, _ addresses: [IPSocketAddress]
  ) throws(SocketError) {
    do throws(SocketError) {
      var addresses = addresses
      let own = try descriptor.localAddress()
      // A bound socket refuses port 0, although 0 can only mean the port that the socket has.
      if let port = IPSocketAddress(own)?.port, port != 0 {
        addresses = addresses.map { $0.port == 0 ? $0.with(port: port) : $0 }
      }
      try descriptor.setSCTPOption(name, toBytes: packed(addresses), .bindAddresses)
    } catch {
      throw error.with(address: SCTPAddressList.text(addresses))
    }
  }

  /// Binds an open socket to several addresses of this host at once, all with one port.
  ///
  /// - Parameter addresses: at least one address. With port 0 in all of them, the kernel chooses the port.
  /// - Throws: the errors of ``addLocalAddresses(_:)``.
  public borrowing func bind(to addresses: [IPSocketAddress]) throws(SocketError) {
    try changeLocalAddresses(CSK_SCTP_BINDX_ADD, addresses)
  }
}

extension RawDescriptor {
  /// Reads the addresses of an association or of the socket.
  ///
  /// The kernel does not report how many there are: it only fails if the buffer is too small.
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
