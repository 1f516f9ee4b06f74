internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

// These methods connect to and listen on several addresses at the same time: multi-homing (RFC 6458, 9.1 and 9.9).

extension SCTPSocket {
  /// Listens on several addresses of this host with one port.
  ///
  /// Each association then uses those of the addresses that its peer can reach.
  ///
  /// - Parameters:
  ///   - addresses: at least one address; IPv4 and IPv6 may be mixed. If the port of every address is 0, the kernel
  ///     chooses one port for all addresses. If the kernel does not support IPv6, `.any(port:)` means every IPv4
  ///     address.
  ///   - backlog: the number of associations that may wait to be accepted. 0 is raised to 1, because for SCTP a backlog
  ///     of 0 ends listening.
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.protocolNotSupported`,
  ///   `.invalidArgument` (no address, or different ports). The error contains the addresses.
  public static func listen(
    on addresses: [IPSocketAddress], backlog: Int = 511,
    configure: (borrowing SCTPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> Listener<SCTPSocket> {
    let socket = try bound(to: addresses, configure: configure)
    do throws(SocketError) {
      return try socket.listen(backlog: backlog)
    } catch {
      throw error.with(address: SCTPAddressList.text(addresses))
    }
  }

  /// Opens a socket, configures it, and binds it to all of the addresses.
  static func bound(
    to addresses: [IPSocketAddress], configure: (borrowing SCTPSocket) throws -> Void
  ) throws(SocketError) -> SCTPSocket {
    do throws(SocketError) {
      guard let first = addresses.first else { throw SocketError(code: .invalidArgument, .bind) }
      var addresses = addresses
      let socket = try open(forAllOf: &addresses)
      try socket.configure(at: .binding(to: widest(addresses) ?? first))
      try socket.configure(with: configure)
      try socket.perform(.addLocalAddresses(addresses))
      return socket
    } catch {
      throw error.with(address: SCTPAddressList.text(addresses))
    }
  }

  /// Connects to a peer by any of its addresses (connectx), waiting on this thread until the peer has answered.
  ///
  /// The kernel tries the first address. While no answer arrives, it tries the next address after each retransmission
  /// timeout (``SCTPAssociationOption/retransmissionTimeouts``), initially 3 s by default. The association then has
  /// every address that the peer announces.
  ///
  /// - Parameters:
  ///   - addresses: the peer's addresses, at least one, all with one port.
  ///   - sources: the local addresses to connect from; if there are none, the kernel offers the addresses of this host.
  ///   - limit: how long to wait, and how the thread waits: ``/SocketKitCore/WaitLimit``. If the limit has already
  ///     passed, the call fails before it sends anything.
  ///   - configure: sets options on the socket before it connects.
  /// - Throws: `.connectionRefused`, `.timedOut`, `.cancelled`, `.unreachable`; `.addressInUse` and
  ///   `.addressNotAvailable` for the sources; `.invalidArgument` (no address, or different ports). The error contains
  ///   the addresses.
  public static func connect(
    toAny addresses: [IPSocketAddress], from sources: [IPSocketAddress] = [], until limit: some WaitLimit,
    configure: (borrowing SCTPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> SCTPSocket {
    do throws(SocketError) {
      try limit.check(.connect)
    } catch {
      throw error.with(address: SCTPAddressList.text(addresses))
    }
    let pending = try startConnecting(toAny: addresses, from: sources, configure: configure)
    return try pending.finish(until: limit)
  }

  /// Starts to connect to a peer by any of its addresses, and returns immediately.
  /// - Throws: those errors of ``connect(toAny:from:until:configure:)`` that occur immediately.
  public static func startConnecting(
    toAny addresses: [IPSocketAddress], from sources: [IPSocketAddress] = [],
    configure: (borrowing SCTPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> PendingConnection<SCTPSocket> {
    let subject = SCTPAddressList.text(addresses)
    let local = sources.isEmpty ? nil : SCTPAddressList.text(sources)
    do throws(SocketError) {
      guard let widest = widest(addresses + sources), let first = addresses.first else {
        throw SocketError(code: .invalidArgument, .connect)
      }
      let socket = try open(for: widest)
      if widest.isIPv6 { try socket.setOption(.v6Only, to: false) }
      try socket.configure(with: configure)
      if !sources.isEmpty { try socket.perform(.addLocalAddresses(sources)) }
      let (result, _) = socket.descriptor.sctpConnect(to: addresses)
      switch result.errno {
      case 0, CSK_EINPROGRESS, CSK_EINTR: break
      default: throw SocketError(result, .connect)
      }
      return PendingConnection(socket, address: first, source: sources.first, describedAs: subject)
    } catch {
      throw error.with(address: subject, localAddress: local)
    }
  }

  /// Opens a socket whose family supports all of the addresses. If the kernel does not support IPv6, replaces the
  /// addresses with IPv4 addresses.
  private static func open(forAllOf addresses: inout [IPSocketAddress]) throws(SocketError) -> SCTPSocket {
    guard let widest = widest(addresses) else { throw SocketError(code: .invalidArgument, .open) }
    do throws(SocketError) {
      return try open(for: widest)
    } catch {
      var others: [IPSocketAddress] = []
      for address in addresses {
        guard let other = address.isIPv6 ? address.alternative(after: error) : address else { throw error }
        others.append(other)
      }
      guard let other = others.first, widest.isIPv6 else { throw error }
      addresses = others
      return try open(for: other)
    }
  }

  /// Returns an address whose family supports all of the addresses: an IPv6 socket also accepts IPv4 addresses.
  private static func widest(_ addresses: [IPSocketAddress]) -> IPSocketAddress? {
    addresses.first { $0.isIPv6 } ?? addresses.first
  }
}

extension RawDescriptor {
  /// Calls connectx once. Uses SCTP_SOCKOPT_CONNECTX3 with getsockopt(2), so that the kernel can return the
  /// association's ID.
  /// - Returns: the result and the ID. The kernel returns the ID even while connecting is in progress.
  func sctpConnect(to addresses: [IPSocketAddress]) -> (IOResult, SCTPAssociationID) {
    // The kernel reads the addresses, and writes the ID, only during the call.
    unsafe packed(addresses).withUnsafeBytes { memory in
      var argument = unsafe csk_sctp_connectx(
        association: 0, byte_count: Int32(memory.count), addresses: memory.baseAddress)
      var length = unsafe UInt32(MemoryLayout<csk_sctp_connectx>.size)
      let result = unsafe csk_getsockopt(value, CSK_IPPROTO_SCTP, CSK_SCTP_CONNECTX3, &argument, &length)
      return unsafe (IOResult(raw: result), SCTPAssociationID(rawValue: argument.association))
    }
  }
}
