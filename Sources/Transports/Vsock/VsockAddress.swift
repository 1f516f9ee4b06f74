public import CSocketKit
public import SocketKitCore

/// The address of a virtual machine socket (vsock(7)): a machine and a port on that machine.
///
/// ```swift
/// VsockAddress(contextID: .host, port: 1024)
/// try VsockAddress("vsock://3:5000")
/// ```
@frozen
public struct VsockAddress: SocketAddress, BitwiseCopyable {
  /// The machine.
  public var contextID: VsockContextID
  /// The port on that machine.
  public var port: VsockPort
  /// The route to that machine.
  public var flags: Flags

  /// Creates an address.
  ///
  /// - Parameters:
  ///   - contextID: the machine; ``VsockContextID/any`` to listen on every context ID of this machine.
  ///   - port: the port on that machine; ``VsockPort/any`` lets the kernel choose a port to listen on or to connect
  ///     from.
  ///   - flags: ``Flags/toHost`` for a sibling machine to which the host forwards connections.
  @inlinable
  public init(contextID: VsockContextID, port: VsockPort, flags: Flags = []) {
    self.contextID = contextID
    self.port = port
    self.flags = flags
  }

  /// Returns an address with the context ID ``VsockContextID/any``, which is the default for listeners.
  @inlinable
  public static func any(port: VsockPort) -> VsockAddress { VsockAddress(contextID: .any, port: port) }
  /// This machine.
  @inlinable
  public static func local(port: VsockPort) -> VsockAddress { VsockAddress(contextID: .local, port: port) }
  /// The host that runs this virtual machine.
  @inlinable
  public static func host(port: VsockPort) -> VsockAddress { VsockAddress(contextID: .host, port: port) }

  /// The flags of a vsock address (svm_flags, Linux 5.11).
  @frozen
  public struct Flags: OptionSet, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Routes the connection through the host regardless of the context ID, so that a machine can reach a sibling if
    /// the host forwards the connection.
    ///
    /// The kernel sets this flag on connections that arrived through the host. The C name is `VMADDR_FLAG_TO_HOST`.
    @inlinable public static var toHost: Self { Self(rawValue: UInt8(CSK_VMADDR_FLAG_TO_HOST)) }
  }

  @inlinable public var family: AddressFamily { .vsock }

  @inlinable
  public borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    var address = csk_sockaddr_vm()
    address.family = UInt16(truncatingIfNeeded: CSK_AF_VSOCK)
    address.port = port.rawValue
    address.cid = contextID.rawValue
    address.flags = flags.rawValue
    // The 16 bytes of the structure have no padding, and the compiler does not let the span escape from the body.
    return unsafe withUnsafeBytes(of: &address) { unsafe body($0.bytes) }
  }

  /// Reads a socket address. Returns nil unless there are exactly 16 bytes that begin with AF_VSOCK.
  @inlinable
  public init?(sockaddr bytes: RawSpan) {
    guard bytes.byteCount == 16, bytes.integer(as: UInt16.self) == UInt16(truncatingIfNeeded: CSK_AF_VSOCK)
    else { return nil }
    self.init(
      contextID: VsockContextID(rawValue: bytes.integer(at: 8, as: UInt32.self)),
      port: VsockPort(rawValue: bytes.integer(at: 4, as: UInt32.self)),
      flags: Flags(rawValue: bytes.integer(at: 12, as: UInt8.self)))
  }
}
