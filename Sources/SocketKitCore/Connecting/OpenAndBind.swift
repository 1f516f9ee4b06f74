internal import CSocketKit

extension RawDescriptor {
  /// A new CLOEXEC, non-blocking socket of any kind (socket(2)): for transports whose kind does not follow from an
  /// address.
  /// - Throws: `.tooManyDescriptors`, `.protocolNotSupported`, `.permissionDenied` (raw and packet sockets need
  ///   CAP_NET_RAW), `.invalidArgument`.
  public static func open(_ kind: SocketKind) throws(SocketError) -> Descriptor {
    let result = IOResult(
      raw: csk_socket(
        kind.family.rawValue, kind.type.rawValue | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, kind.protocolNumber))
    if result.isFailure { throw SocketError(result, .open) }
    return unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw)))
  }

  /// bind(2).
  func bind(to address: some SocketAddress) throws(SocketError) {
    let result = address.withBytes { bytes in
      bytes.withUnsafeBytes { IOResult(raw: csk_bind(value, $0.baseAddress, UInt32($0.count))) }
    }
    if result.isFailure { throw SocketError(result, .bind) }
  }

  /// connect(2), once.
  func attemptConnect(to address: some SocketAddress) -> IOResult {
    address.withBytes { bytes in
      bytes.withUnsafeBytes { IOResult(raw: csk_connect(value, $0.baseAddress, UInt32($0.count))) }
    }
  }
}

extension IPSocketAddress {
  /// The address to listen or receive at instead, where the kernel has no IPv6 (`ipv6.disable=1`): ``anyIPv4(port:)``
  /// for ``any(port:)``.
  ///
  /// - Parameter error: how opening a socket for this address failed.
  /// - Returns: nil for another address or another failure.
  public func ipv4Alternative(after error: SocketError) -> IPSocketAddress? {
    error.errno == CSK_EAFNOSUPPORT && self == .any(port: port) ? .anyIPv4(port: port) : nil
  }
}

extension TransportSocket where Self: ~Copyable {
  /// A new socket that is neither bound nor connected: for transports and for options that must be set first.
  /// - Throws: `.tooManyDescriptors`, `.protocolNotSupported`, `.permissionDenied`.
  public static func open(for address: Address) throws(SocketError) -> Self {
    Self(owning: try RawDescriptor.open(kind(for: address)))
  }

  /// A new socket that is to receive at an address. Where the kernel has no IPv6 (`ipv6.disable=1`), changes
  /// ``IPSocketAddress/any(port:)`` to ``IPSocketAddress/anyIPv4(port:)``.
  /// - Throws: as ``open(for:)``.
  static func open(forAllOf address: inout Address) throws(SocketError) -> Self {
    do throws(SocketError) {
      return try open(for: address)
    } catch {
      guard let all = (address as? IPSocketAddress)?.ipv4Alternative(after: error) as? Address else { throw error }
      address = all
      return try open(for: all)
    }
  }

  /// A new socket of a kind other than the address would say, such as another protocol.
  /// - Throws: `.wrongSocketKind` when it is none of this transport's, and as ``open(for:)``.
  public static func open(_ kind: SocketKind) throws(SocketError) -> Self {
    guard accepts(kind) else { throw SocketError(code: .wrongSocketKind, .open) }
    return Self(owning: try RawDescriptor.open(kind))
  }

  /// bind(2), once more where the transport could clear the way.
  mutating func bind(clearingTheWayTo address: Address) throws(SocketError) {
    do throws(SocketError) {
      try descriptor.bind(to: address)
    } catch {
      guard Self.clearedWay(for: address, after: error) else { throw error }
      try descriptor.bind(to: address)
    }
    didBind(to: address)
  }

  /// Takes over an open socket of this transport, connected or not, and makes it CLOEXEC and non-blocking.
  ///
  /// Check ``SocketKind`` with ``RawDescriptor/socketKind()`` first where the descriptor must survive a failure.
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind` for another family, type or protocol, or a socket that
  ///   listens. The descriptor is closed then.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    try Self.check(descriptor.raw, listening: false)
    try descriptor.raw.makeNonBlockingAndCloseOnExec()
    SegmentationSettings.noteChange()
    self.init(owning: descriptor)
  }

  static func check(_ raw: RawDescriptor, listening: Bool) throws(SocketError) {
    try raw.checkOpen()
    guard Self.accepts(try raw.socketKind()) else { throw SocketError(code: .wrongSocketKind, .adopt) }
    guard try raw.isListening() == listening else { throw SocketError(code: .wrongSocketKind, .adopt) }
  }
}

extension Listener where S: ConnectionTransport & ~Copyable {
  /// Takes over a socket that listens already, and makes it CLOEXEC and non-blocking: socket activation, or a restart
  /// without loss. Nothing is cleaned up when it closes.
  ///
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind` for another family, type or protocol, or a socket that
  ///   does not listen. The descriptor is closed then.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    try S.check(descriptor.raw, listening: true)
    try descriptor.raw.makeNonBlockingAndCloseOnExec()
    self.init(descriptor, context: ())
  }
}
