internal import CSocketKit
internal import SocketKitCore
public import SocketKitIP

// The addresses of the two ends. A multi-homed host has several addresses (RFC 6458, 9.1 to 9.5).

extension ReadOnlySCTPAssociationOption where Value == [IPSocketAddress] {
  /// The addresses of this end of an association. For `.future`, the value contains the addresses of the socket.
  ///
  /// If the socket is bound to the wildcard address, the value contains every address of this host that the socket may
  /// use. Reading the option throws `.outOfMemory`. The C name is `SCTP_GET_LOCAL_ADDRS`.
  public static var localAddresses: Self {
    Self { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
      try target.sctpAddresses(CSK_SCTP_GET_LOCAL_ADDRS, association)
    }
  }

  /// The addresses of the other end of an association. Reading the option throws `.outOfMemory`. The C name is
  /// `SCTP_GET_PEER_ADDRS`.
  public static var peerAddresses: Self {
    Self { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
      try target.sctpAddresses(CSK_SCTP_GET_PEER_ADDRS, association)
    }
  }
}

extension RawDescriptor {
  /// Binds the socket to addresses, or unbinds it from them.
  /// - Parameter name: CSK_SCTP_BINDX_ADD or CSK_SCTP_BINDX_REM.
  func changeLocalAddresses(_ name: Int32, _ addresses: [IPSocketAddress]) throws(SocketError) {
    do throws(SocketError) {
      var addresses = addresses
      // The kernel rejects port 0 for a bound socket, so this code replaces port 0 with the port of the socket.
      if let port = IPSocketAddress(try localAddress())?.port, port != 0 {
        addresses = addresses.map { $0.port == 0 ? $0.with(port: port) : $0 }
      }
      try setSCTPOption(name, toBytes: packed(addresses), .bindAddresses)
    } catch {
      throw error.with(address: SCTPAddressList.text(addresses))
    }
  }

  /// Reads the addresses of an association or of the socket.
  ///
  /// The kernel does not report the required size in advance. If the buffer is too small, getsockopt(2) fails with
  /// ENOMEM, and this function tries a larger buffer.
  func sctpAddresses(
    _ name: Int32, _ association: SCTPAssociationID
  ) throws(SocketError) -> [IPSocketAddress] {
    var room = 16 * 28
    while true {
      var bytes: [UInt8] = []
      bytes.append(bytesOf: csk_sctp_getaddrs(association: association.rawValue, count: 0))
      bytes += repeatElement(0, count: room)
      let result = readSCTPOption(name, into: &bytes)
      if result.errno == CSK_ENOMEM && room < 1 << 20 {
        room *= 4
        continue
      }
      if result.isFailure { throw SocketError(result, .addresses) }
      return unpacked(bytes)
    }
  }

  private func unpacked(_ bytes: [UInt8]) -> [IPSocketAddress] {
    let memory = bytes.span.integerBytes
    var addresses: [IPSocketAddress] = []
    var offset = MemoryLayout<csk_sctp_getaddrs>.size
    for _ in 0..<memory.integer(at: 4, as: UInt32.self) where offset < memory.byteCount {
      guard let address = IPSocketAddress(sockaddr: memory.extracting(droppingFirst: offset)) else { break }
      addresses.append(address.withoutNeedlessScope)
      offset += address.isIPv6 ? 28 : 16
    }
    return addresses
  }
}
