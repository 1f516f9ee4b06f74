internal import CSocketKit
public import SocketKitCore

// Connecting to and listening on several addresses at once: multi-homing (RFC 6458, 9.1 and 9.9).

extension SCTPSocket {
  /// Listens on several addresses of this host with one port: associations then have all of them, as far as peers can
  /// reach them.
  ///
  /// - Parameters:
  ///   - addresses: at least one, IPv4 and IPv6 mixed as you like; with port 0 in all of them, the kernel chooses one
  ///     port for all. Where the kernel has no IPv6, `.any(port:)` means every IPv4 address.
  ///   - backlog: how many associations may wait to be accepted, at least 1: SCTP takes 0 for "no more listening".
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.protocolNotSupported`, `.invalidArgument`
  ///   (no address, or different ports), with the addresses.
  public static func listen(
    on addresses: [IPSocketAddress], backlog: Int = 511,
    configure: (borrowing SCTPSocket) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> Listener<SCTPSocket> {
    let subject = SCTPAddressList.text(addresses)
    do throws(SocketError) {
      guard backlog >= 0, let first = addresses.first else { throw SocketError(code: .invalidArgument, .listen) }
      var addresses = addresses
      let socket = try open(forAllOf: &addresses)
      try willListen(socket, on: widest(addresses) ?? first)
      try configure(socket)
      try socket.bindAll(addresses)
      return try socket.listen(backlog: max(1, backlog))
    } catch {
      throw EndpointError(error, address: subject)
    }
  }

  /// Connects to a peer by any of its addresses, waiting on this thread until it has answered (connectx).
  ///
  /// The kernel asks the first address; while no answer comes, the next one after each
  /// ``SCTPAssociationOption/retransmissionTimeouts``, 3 s at first by default. The association then has every address
  /// that the peer tells of.
  ///
  /// - Parameters:
  ///   - addresses: the peer's, at least one, all with one port.
  ///   - sources: the local addresses to come from; none lets the kernel offer what it has.
  ///   - limit: how long to wait, and how: ``WaitLimit``. One that has passed fails before anything is sent.
  ///   - configure: sets options on the socket before it connects.
  /// - Throws: `.connectionRefused`, `.timedOut`, `.cancelled`, `.unreachable`, `.addressInUse` and
  ///   `.addressNotAvailable` for the sources, `.invalidArgument` (no address, or different ports), with the addresses.
  public static func connect(
    toAny addresses: [IPSocketAddress], from sources: [IPSocketAddress] = [], until limit: some WaitLimit,
    configure: (borrowing SCTPSocket) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> SCTPSocket {
    do throws(SocketError) {
      try limit.check(.connect)
    } catch {
      throw EndpointError(error, address: SCTPAddressList.text(addresses))
    }
    let pending = try startConnecting(toAny: addresses, from: sources, configure: configure)
    return try pending.finish(until: limit)
  }

  /// Begins to connect to a peer by any of its addresses and returns at once.
  /// - Throws: as ``connect(toAny:from:until:configure:)`` where the answer is immediate.
  public static func startConnecting(
    toAny addresses: [IPSocketAddress], from sources: [IPSocketAddress] = [],
    configure: (borrowing SCTPSocket) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> PendingConnection<SCTPSocket> {
    let subject = SCTPAddressList.text(addresses)
    let local = sources.isEmpty ? nil : SCTPAddressList.text(sources)
    do throws(SocketError) {
      guard let widest = widest(addresses + sources), let first = addresses.first else {
        throw SocketError(code: .invalidArgument, .connect)
      }
      let socket = try open(for: widest)
      if widest.isIPv6 { try socket.setOption(.v6Only, to: false) }
      try configure(socket)
      if !sources.isEmpty { try socket.bindAll(sources) }
      var association = SCTPAssociationID.future
      let result = socket.descriptor.sctpConnect(to: addresses, reporting: &association)
      switch result.errno {
      case 0, CSK_EINPROGRESS, CSK_EINTR: break
      default: throw SocketError(result, .connect)
      }
      return PendingConnection(socket, address: first, source: sources.first, describedAs: subject)
    } catch {
      throw EndpointError(error, address: subject, localAddress: local)
    }
  }

  /// Opens a socket whose family can hold all of the addresses. Where there is no IPv6, replaces them by IPv4
  /// addresses.
  private static func open(forAllOf addresses: inout [IPSocketAddress]) throws(SocketError) -> SCTPSocket {
    guard let widest = widest(addresses) else { throw SocketError(code: .invalidArgument, .open) }
    do throws(SocketError) {
      return try open(for: widest)
    } catch {
      var others: [IPSocketAddress] = []
      for address in addresses {
        guard let other = address.isIPv6 ? address.ipv4Alternative(after: error) : address else { throw error }
        others.append(other)
      }
      guard let other = others.first, widest.isIPv6 else { throw error }
      addresses = others
      return try open(for: other)
    }
  }

  /// An address whose family can hold all of them: an IPv6 socket takes IPv4 addresses too.
  private static func widest(_ addresses: [IPSocketAddress]) -> IPSocketAddress? {
    addresses.first { $0.isIPv6 } ?? addresses.first
  }

  private borrowing func bindAll(_ addresses: [IPSocketAddress]) throws(SocketError) {
    do throws(EndpointError) {
      try bind(to: addresses)
    } catch {
      throw error.reason
    }
  }
}

extension RawDescriptor {
  /// connectx (SCTP_SOCKOPT_CONNECTX3, which is read rather than set, so that the association's ID can come back), once.
  /// - Parameter association: receives the ID, also while the connect is under way.
  func sctpConnect(to addresses: [IPSocketAddress], reporting association: inout SCTPAssociationID) -> IOResult {
    let bytes = packed(addresses)
    return bytes.withUnsafeBytes { memory in
      var argument = csk_sctp_connectx(
        association: 0, byte_count: Int32(memory.count), addresses: memory.baseAddress)
      var length = UInt32(MemoryLayout<csk_sctp_connectx>.size)
      let result = csk_getsockopt(value, CSK_IPPROTO_SCTP, CSK_SCTP_CONNECTX3, &argument, &length)
      association = SCTPAssociationID(rawValue: argument.association)
      return IOResult(raw: result)
    }
  }
}
