internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

// These options and methods concern the addresses of the two ends. A multi-homed host has several addresses (RFC 6458,
// 9.1 to 9.5).

extension ReadOnlySCTPAssociationOption where Value == [IPSocketAddress] {
  /// The addresses of this end of an association. For `.future`, the addresses of the socket.
  ///
  /// If the socket is bound to any address, the value contains every address of this host that the socket may use.
  /// Reading throws `.outOfMemory`. The C name is `SCTP_GET_LOCAL_ADDRS`.
  public static var localAddresses: Self {
    Self { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
      try target.sctpAddresses(CSK_SCTP_GET_LOCAL_ADDRS, association)
    }
  }

  /// The addresses of the other end of an association. Reading throws `.outOfMemory`. The C name is
  /// `SCTP_GET_PEER_ADDRS`.
  public static var peerAddresses: Self {
    Self { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
      try target.sctpAddresses(CSK_SCTP_GET_PEER_ADDRS, association)
    }
  }
}

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Binds the socket to addresses of this host, in addition to those to which it is bound (`SCTP_SOCKOPT_BINDX_ADD`).
  ///
  /// If the socket is not bound, port 0 in all addresses lets the kernel choose the port. An existing association keeps
  /// its addresses, unless both ends support address changes (RFC 5061).
  ///
  /// - Parameter addresses: the addresses, with the socket's port or with port 0. An IPv6 socket also accepts IPv4
  ///   addresses.
  /// - Throws: `.addressNotAvailable` (not an address of this host), `.addressInUse`, `.invalidArgument` (another port,
  ///   the other IP version, an address that is already bound, no address). The error contains the addresses. If one
  ///   address fails, the kernel unbinds the addresses that precede it in the list.
  public borrowing func addLocalAddresses(_ addresses: [IPSocketAddress]) throws(SocketError) {
    try changeLocalAddresses(CSK_SCTP_BINDX_ADD, addresses)
  }

  /// Unbinds the socket from addresses (`SCTP_SOCKOPT_BINDX_REM`). New associations do not use these addresses.
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
      // The kernel rejects port 0 for a bound socket, although 0 can only mean the port of the socket.
      if let port = IPSocketAddress(own)?.port, port != 0 {
        addresses = addresses.map { $0.port == 0 ? $0.with(port: port) : $0 }
      }
      try descriptor.setSCTPOption(name, toBytes: packed(addresses), .bindAddresses)
    } catch {
      throw error.with(address: SCTPAddressList.text(addresses))
    }
  }
}

extension RawDescriptor {
  /// Reads the addresses of an association or of the socket.
  ///
  /// The kernel does not report the number of addresses. The call fails if the buffer is too small.
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
