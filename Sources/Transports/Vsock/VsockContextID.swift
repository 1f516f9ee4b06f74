/// Which machine: the context ID of vsock(7), 32 bits in host order.
///
/// The host gives each virtual machine one, from 3 upwards; it may change when the machine is moved or restored:
/// ``current()`` asks which it is now.
@frozen
public struct VsockContextID: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Any: listen at whatever context ID this machine has, also after it changed (VMADDR_CID_ANY, 4294967295).
  @inlinable public static var any: Self { Self(rawValue: .max) }
  /// The hypervisor itself (VMADDR_CID_HYPERVISOR, 0): VMware has services there; virtio has none.
  @inlinable public static var hypervisor: Self { Self(rawValue: 0) }
  /// This machine: loopback (VMADDR_CID_LOCAL, 1), Linux 5.6 with the module vsock_loopback.
  @inlinable public static var local: Self { Self(rawValue: 1) }
  /// The machine that runs this virtual machine, and its own context ID there (VMADDR_CID_HOST, 2).
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

/// A port of vsock(7): 32 bits in host order. Those up to 1023 need CAP_NET_BIND_SERVICE to bind.
///
/// 0 is a port like any other and not the word for "any", unlike in IP.
@frozen
public struct VsockPort: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Whichever the kernel chooses, above 1023 (VMADDR_PORT_ANY, 4294967295).
  @inlinable public static var any: Self { Self(rawValue: .max) }
  /// Whether binding it needs CAP_NET_BIND_SERVICE: 0 to 1023.
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
