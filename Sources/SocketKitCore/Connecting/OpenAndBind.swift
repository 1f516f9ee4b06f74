internal import CSocketKit

extension RawDescriptor {
  /// Opens a CLOEXEC, non-blocking socket of any kind (socket(2)). Use this method for transports whose address does
  /// not determine the kind of the socket.
  /// - Throws: `.tooManyDescriptors`, `.protocolNotSupported`, `.permissionDenied` (raw and packet sockets need
  ///   CAP_NET_RAW), `.invalidArgument`.
  public static func open(_ kind: SocketKind) throws(SocketError) -> Descriptor {
    let result = IOResult(
      raw: csk_socket(
        kind.family.rawValue, kind.type.rawValue | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, kind.protocolNumber))
    if result.isFailure { throw SocketError(result, .open) }
    // The kernel has returned a new descriptor, which has no other owner.
    return unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw)))
  }

  /// Binds a socket to an address of any type (bind(2)). An implementation of ``Transport/bind(to:)`` calls this
  /// method.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.invalidArgument` (the socket is already
  ///   bound, or the address has another family). The error contains the address.
  public func bind(to address: some SocketAddress) throws(SocketError) {
    // The kernel reads the address only during the call.
    let result = address.withBytes { bytes in
      unsafe bytes.withUnsafeBytes { unsafe IOResult(raw: csk_bind(value, $0.baseAddress, UInt32($0.count))) }
    }
    if result.isFailure { throw SocketError(result, .bind).with(address: address.description) }
  }

  /// Calls connect(2) once.
  func attemptConnect(to address: some SocketAddress) -> IOResult {
    // The kernel reads the address only during the call.
    address.withBytes { bytes in
      unsafe bytes.withUnsafeBytes { unsafe IOResult(raw: csk_connect(value, $0.baseAddress, UInt32($0.count))) }
    }
  }
}

extension Transport where Self: ~Copyable {
  public static func open(for address: Address) throws(SocketError) -> Self {
    let family = address.family
    guard var kind = kinds.first(where: { $0.family == family || $0.family == .unspecified }) else {
      throw SocketError(code: .wrongSocketKind, .open)
    }
    kind.family = family
    return Self(owning: try RawDescriptor.open(kind))
  }

  /// Opens a socket that will be bound to an address. If this fails and the address has an alternative
  /// (``SocketAddress/alternative(after:)``), changes `address` to the alternative and opens a socket for the
  /// alternative.
  /// - Throws: as ``open(for:)``.
  static func open(forBindingTo address: inout Address) throws(SocketError) -> Self {
    do throws(SocketError) {
      return try open(for: address)
    } catch {
      guard let other = address.alternative(after: error) else { throw error }
      address = other
      return try open(for: other)
    }
  }

  /// Opens a socket of the given kind. Use this method for a kind that ``open(for:)`` does not choose, such as a socket
  /// with another protocol.
  /// - Throws: `.wrongSocketKind` if the ``kinds`` do not include the kind, and the errors of ``open(for:)``.
  public static func open(_ kind: SocketKind) throws(SocketError) -> Self {
    guard kinds.contains(where: { $0.includes(kind) }) else { throw SocketError(code: .wrongSocketKind, .open) }
    return Self(owning: try RawDescriptor.open(kind))
  }

  /// Opens a socket, configures it, and binds it to an address.
  static func bound(
    to address: Address, configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self {
    var address = address
    do throws(SocketError) {
      var socket = try open(forBindingTo: &address)
      try socket.configure(at: .binding(to: address))
      try socket.configure(with: configure)
      try socket.bind(to: address)
      return socket
    } catch {
      throw error.with(address: address.description)
    }
  }

  /// Takes ownership of an open socket of this transport, connected or not, and makes the socket CLOEXEC and
  /// non-blocking.
  ///
  /// If the descriptor must stay open after an error, first check its kind with ``RawDescriptor/socketKind()``.
  /// - Throws: `.closed`; `.notASocket`; `.wrongSocketKind` for another family, type or protocol, or for a socket that
  ///   listens. If the initializer throws, it closes the descriptor.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    try Self.check(descriptor.raw, listening: false)
    try descriptor.raw.makeNonBlockingAndCloseOnExec()
    SegmentationSettings.noteChange()
    self.init(owning: descriptor)
  }

  package static func check(_ raw: RawDescriptor, listening: Bool) throws(SocketError) {
    try raw.checkOpen()
    let kind = try raw.socketKind()
    guard kinds.contains(where: { $0.includes(kind) }) else { throw SocketError(code: .wrongSocketKind, .adopt) }
    guard try raw.isListening() == listening else { throw SocketError(code: .wrongSocketKind, .adopt) }
  }
}

extension Listener where S: Transport & Acceptable<Void> & ~Copyable {
  /// Takes ownership of a socket that already listens, and makes the socket CLOEXEC and non-blocking. Use this
  /// initializer for socket activation, or for a restart that loses no connections. Closing the listener does not
  /// remove a socket file.
  ///
  /// - Throws: `.closed`; `.notASocket`; `.wrongSocketKind` for another family, type or protocol, or for a socket that
  ///   does not listen. If the initializer throws, it closes the descriptor.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    try S.check(descriptor.raw, listening: true)
    try descriptor.raw.makeNonBlockingAndCloseOnExec()
    self.init(descriptor, context: ())
  }
}
