/// The context ID of a machine (vsock(7)), 32 bits in host byte order.
///
/// The host assigns an ID to each virtual machine, starting at 3. The ID may change when the machine is moved or
/// restored. ``current()`` returns the current ID.
@frozen
public struct VsockContextID: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Any context ID. A listener with this ID listens on every context ID of this machine, even after the ID changes
  /// (VMADDR_CID_ANY, 4294967295).
  @inlinable public static var any: Self { Self(rawValue: .max) }
  /// The hypervisor itself (VMADDR_CID_HYPERVISOR, 0): VMware offers services at this ID; virtio offers none.
  @inlinable public static var hypervisor: Self { Self(rawValue: 0) }
  /// This machine, through loopback (VMADDR_CID_LOCAL, 1). Requires Linux 5.6 and the module vsock_loopback.
  @inlinable public static var local: Self { Self(rawValue: 1) }
  /// The context ID of the host (VMADDR_CID_HOST, 2). A virtual machine uses it to address the host that runs the
  /// machine.
  @inlinable public static var host: Self { Self(rawValue: 2) }
}

extension VsockContextID: ExpressibleByIntegerLiteral {
  @inlinable
  public init(integerLiteral value: UInt32) { self.init(rawValue: value) }
}

extension VsockContextID: CustomStringConvertible {
  /// `hypervisor(0)`, `local(1)`, `host(2)`, `vm(3)` and so on, `any`.
  public var description: String {
    switch self {
    case .any: "any"
    case .hypervisor: "hypervisor(0)"
    case .local: "local(1)"
    case .host: "host(2)"
    default: "vm(\(rawValue))"
    }
  }
}

/// A vsock port (vsock(7)), 32 bits in host byte order. Binding a port up to 1023 requires CAP_NET_BIND_SERVICE.
///
/// Unlike in IP, 0 is an ordinary port and does not mean "any".
@frozen
public struct VsockPort: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Any port: the kernel chooses a port above 1023 (VMADDR_PORT_ANY, 4294967295).
  @inlinable public static var any: Self { Self(rawValue: .max) }
  /// Whether binding the port requires CAP_NET_BIND_SERVICE: true from 0 to 1023.
  @inlinable public var isPrivileged: Bool { rawValue < 1024 }
}

extension VsockPort: ExpressibleByIntegerLiteral {
  @inlinable
  public init(integerLiteral value: UInt32) { self.init(rawValue: value) }
}

extension VsockPort: CustomStringConvertible {
  /// The number, or `*` for any.
  public var description: String { self == .any ? "*" : "\(rawValue)" }
}
