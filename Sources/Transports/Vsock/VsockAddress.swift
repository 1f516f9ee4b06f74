public import CSocketKit
public import SocketKitCore

/// The address of a virtual machine socket (vsock(7)): a machine and a port there.
///
/// ```swift
/// VsockAddress(contextID: .host, port: 1024)
/// try VsockAddress("vsock://3:5000")
/// ```
@frozen
public struct VsockAddress: SocketAddress, BitwiseCopyable {
  /// Which machine.
  public var contextID: VsockContextID
  /// Which port there.
  public var port: VsockPort
  /// How to get there.
  public var flags: Flags

  /// - Parameters:
  ///   - contextID: the machine; ``VsockContextID/any`` to listen at all that this one has.
  ///   - port: the port there; ``VsockPort/any`` lets the kernel choose one to listen or to connect from.
  ///   - flags: ``Flags/toHost`` for a sibling machine that the host forwards to.
  @inlinable
  public init(contextID: VsockContextID, port: VsockPort, flags: Flags = []) {
    self.contextID = contextID
    self.port = port
    self.flags = flags
  }

  /// Every context ID of this machine: where listeners listen by default.
  @inlinable
  public static func any(port: VsockPort) -> VsockAddress { VsockAddress(contextID: .any, port: port) }
  /// This machine itself.
  @inlinable
  public static func local(port: VsockPort) -> VsockAddress { VsockAddress(contextID: .local, port: port) }
  /// The machine that runs this virtual machine.
  @inlinable
  public static func host(port: VsockPort) -> VsockAddress { VsockAddress(contextID: .host, port: port) }

  /// The flags of a vsock address (svm_flags, Linux 5.11).
  @frozen
  public struct Flags: OptionSet, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Goes by way of the host, whatever the context ID says: so a machine reaches a sibling, where the host forwards.
    /// The kernel sets it on connections that came that way. The C name is `VMADDR_FLAG_TO_HOST`.
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
    return withUnsafeBytes(of: &address) { body(RawSpan(_unsafeBytes: $0)) }
  }

  /// nil unless the bytes begin with AF_VSOCK and are 16.
  @inlinable
  public init?(sockaddr bytes: RawSpan) {
    guard bytes.byteCount == 16, bytes.unsafeLoadUnaligned(as: UInt16.self) == UInt16(truncatingIfNeeded: CSK_AF_VSOCK)
    else { return nil }
    let address = bytes.unsafeLoadUnaligned(as: csk_sockaddr_vm.self)
    self.init(
      contextID: VsockContextID(rawValue: address.cid), port: VsockPort(rawValue: address.port),
      flags: Flags(rawValue: address.flags))
  }
}
