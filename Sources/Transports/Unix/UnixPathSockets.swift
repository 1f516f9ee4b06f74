public import SocketKitCore

// These methods connect, listen and bind with paths that may be too long for an address.

extension Transport where Self: Acceptable<Void> & ~Copyable, Address == UnixAddress {
  /// Listens on a path of any length, as `listen(on:)` listens on an address. ``UnixPath`` describes the consequences
  /// of a long path.
  /// - Throws: `.addressInUse`, `.noSuchPath`, `.permissionDenied`, `.addressTooLong` for a last component that is too
  ///   long. The error includes the path.
  public static func listen(
    on path: UnixPath, backlog: Int = 511,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Listener<Self> {
    if let address = path.address { return try listen(on: address, backlog: backlog, configure: configure) }
    let (place, address) = try path.holdFolder()
    do throws(SocketError) {
      let socket = try open(for: address)
      try socket.configure(at: .binding(to: address))
      try socket.configure(with: configure)
      try socket.bind(to: address, replacingDesertedFileAt: place)
      let file = SocketFile(place)
      return try socket.listen(backlog: backlog, cleanup: { file?.removeIfSame() })
    } catch {
      throw path.named(error)
    }
  }

  /// Connects to a path of any length, as `connect(to:until:)` connects to an address. Blocks this thread.
  /// - Throws: the errors of `connect(to:until:)`; `.noSuchPath` also if the path is long and /proc is not mounted. The
  ///   error includes the path.
  public static func connect(
    to path: UnixPath, from source: UnixAddress? = nil, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    if let address = path.address {
      return try connect(
        to: address, from: source, until: limit, configure: configure)
    }
    return try path.whileOpen { (address) throws(SocketError) in
      try connect(
        to: address, from: source, until: limit, configure: configure)
    }
  }
}

extension UnixDatagramSocket {
  /// Binds a socket to a path of any length, as `bind(to:)` binds to an address. ``UnixPath`` describes the
  /// consequences of a long path.
  /// - Throws: `.addressInUse`, `.noSuchPath`, `.permissionDenied`, `.addressTooLong` for a last component that is too
  ///   long. The error includes the path.
  public static func bind(
    to path: UnixPath,
    configure: (borrowing UnixDatagramSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> UnixDatagramSocket {
    if let address = path.address { return try bind(to: address, configure: configure) }
    let (place, address) = try path.holdFolder()
    do throws(SocketError) {
      var socket = try open(for: address)
      try socket.configure(with: configure)
      try socket.bind(to: address, replacingDesertedFileAt: place)
      socket.path = BoundPath(SocketFile(place))
      return socket
    } catch {
      throw path.named(error)
    }
  }

  /// Connects a socket to the socket at a path of any length.
  /// - Throws: `.connectionRefused`, `.noSuchPath`, `.wrongSocketType`, `.permissionDenied`. The error includes the
  ///   path.
  public static func connect(
    to path: UnixPath, from source: UnixAddress? = nil,
    configure: (borrowing UnixDatagramSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> UnixDatagramSocket {
    if let address = path.address { return try connect(to: address, from: source, configure: configure) }
    return try path.whileOpen { (address) throws(SocketError) in
      try connect(to: address, from: source, configure: configure)
    }
  }
}

extension UnixPath {
  /// Opens the file and calls the body with a short name for the file. The name is valid only while the body runs.
  func whileOpen<S: ~Copyable>(
    _ body: (UnixAddress) throws(SocketError) -> S
  ) throws(SocketError) -> S {
    let file: Descriptor
    do throws(SocketError) { file = try pinFile() } catch { throw named(error, wasOpened: false) }
    do throws(SocketError) {
      let socket = try body(Self.shortName(file.raw))
      _ = consume file
      return socket
    } catch {
      throw named(error)
    }
  }
}
