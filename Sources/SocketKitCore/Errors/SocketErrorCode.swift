internal import CSocketKit

extension SocketError {
  /// What kind of failure it was: one code for the several errno values that mean the same to a program.
  ///
  /// A struct with static members, so that new codes break no caller: always write a `default:`.
  @frozen
  public struct Code: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8
    /// Numbers below 128 are SocketKit's.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Inside ``SocketError``: "ask the errno". Never the value of ``SocketError/code``.
    @usableFromInline static var derived: Self { @inlinable get { Self(rawValue: 0) } }

    /// None of the others: look at the errno.
    @inlinable public static var other: Self { Self(rawValue: 1) }
    /// The descriptor is not open (EBADF).
    @inlinable public static var closed: Self { Self(rawValue: 2) }
    /// Nobody listens there (ECONNREFUSED).
    @inlinable public static var connectionRefused: Self { Self(rawValue: 3) }
    /// The peer reset the connection (ECONNRESET, ECONNABORTED).
    @inlinable public static var connectionReset: Self { Self(rawValue: 4) }
    /// Writing after the peer stopped reading, or after the own write side was shut down (EPIPE, ESHUTDOWN).
    @inlinable public static var brokenPipe: Self { Self(rawValue: 5) }
    /// A deadline passed (errno 0), or the kernel's own timer ran out (ETIMEDOUT).
    @inlinable public static var timedOut: Self { Self(rawValue: 6) }
    /// The wait was ended by ``WaitControl/cancel()``.
    @inlinable public static var cancelled: Self { Self(rawValue: 7) }
    /// Somebody else has the address (EADDRINUSE).
    @inlinable public static var addressInUse: Self { Self(rawValue: 8) }
    /// The address is none of this host's (EADDRNOTAVAIL).
    @inlinable public static var addressNotAvailable: Self { Self(rawValue: 9) }
    /// Network or host cannot be reached (ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN).
    @inlinable public static var unreachable: Self { Self(rawValue: 10) }
    /// The kernel does not let this process do that (EACCES, EPERM).
    @inlinable public static var permissionDenied: Self { Self(rawValue: 11) }
    /// The process or the system is out of descriptors (EMFILE, ENFILE), or
    /// of descriptors that are on their way through sockets (ETOOMANYREFS).
    @inlinable public static var tooManyDescriptors: Self { Self(rawValue: 12) }
    /// The kernel is out of memory or buffers (ENOMEM, ENOBUFS).
    @inlinable public static var outOfMemory: Self { Self(rawValue: 13) }
    /// The message is longer than the socket takes (EMSGSIZE).
    @inlinable public static var messageTooLarge: Self { Self(rawValue: 14) }
    /// The socket is not connected (ENOTCONN, EDESTADDRREQ).
    @inlinable public static var notConnected: Self { Self(rawValue: 15) }
    /// The socket is connected already (EISCONN).
    @inlinable public static var alreadyConnected: Self { Self(rawValue: 16) }
    /// An argument is out of its range (EINVAL, EDOM, ERANGE).
    @inlinable public static var invalidArgument: Self { Self(rawValue: 17) }
    /// This kernel, socket or poller has no such thing (EOPNOTSUPP, ENOPROTOOPT, ENOSYS).
    @inlinable public static var notSupported: Self { Self(rawValue: 18) }
    /// The kernel lacks the family, protocol or type (EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENODEV).
    @inlinable public static var protocolNotSupported: Self { Self(rawValue: 19) }
    /// The descriptor is no socket (ENOTSOCK).
    @inlinable public static var notASocket: Self { Self(rawValue: 20) }
    /// The descriptor is a socket of another family, type or protocol than the type that was to adopt it.
    @inlinable public static var wrongSocketKind: Self { Self(rawValue: 21) }
    /// The poller watches that descriptor already (EEXIST).
    @inlinable public static var alreadyRegistered: Self { Self(rawValue: 22) }
    /// The poller does not watch that descriptor (ENOENT).
    @inlinable public static var notRegistered: Self { Self(rawValue: 23) }
    /// The token's slot has been emptied or filled anew since.
    @inlinable public static var staleToken: Self { Self(rawValue: 24) }
    /// The text is no address of this type.
    @inlinable public static var invalidAddress: Self { Self(rawValue: 25) }
    /// The address is longer than the kernel's structure.
    @inlinable public static var addressTooLong: Self { Self(rawValue: 26) }
    /// The port is no number from 0 to 65535.
    @inlinable public static var invalidPort: Self { Self(rawValue: 27) }
    /// No such name (EAI_NONAME, EAI_NODATA).
    @inlinable public static var nameNotFound: Self { Self(rawValue: 28) }
    /// The name service failed (EAI_AGAIN, EAI_FAIL …): it may work later.
    @inlinable public static var resolverFailed: Self { Self(rawValue: 29) }
    /// The stream ended before all the bytes asked for had come.
    @inlinable public static var unexpectedEnd: Self { Self(rawValue: 30) }
    /// No file or directory of that name (ENOENT).
    @inlinable public static var noSuchPath: Self { Self(rawValue: 31) }
    /// The peer broke the protocol (EPROTO).
    @inlinable public static var protocolViolation: Self { Self(rawValue: 32) }
    /// A container or buffer of fixed capacity is full.
    @inlinable public static var capacityExceeded: Self { Self(rawValue: 33) }
    /// The address belongs to another socket type (EPROTOTYPE): a stream socket at a packet socket's path, say.
    @inlinable public static var wrongSocketType: Self { Self(rawValue: 34) }
    /// The descriptor or path is no network namespace.
    @inlinable public static var notANetworkNamespace: Self { Self(rawValue: 35) }
    /// Control data did not arrive whole (MSG_CTRUNC): what came of it has been closed or dropped.
    @inlinable public static var controlTruncated: Self { Self(rawValue: 36) }
    /// The whole transport was reset, not this connection: the virtual machine was restored from a snapshot or moved.
    @inlinable public static var transportReset: Self { Self(rawValue: 37) }
    /// A message on a socket with many peers names none of them.
    @inlinable public static var destinationRequired: Self { Self(rawValue: 38) }

    /// The code for a kernel error number.
    public init(errno: Int32) {
      switch errno {
      case CSK_EBADF: self = .closed
      case CSK_ECONNREFUSED: self = .connectionRefused
      case CSK_ECONNRESET, CSK_ECONNABORTED: self = .connectionReset
      case CSK_EPIPE, 108: self = .brokenPipe
      case CSK_ETIMEDOUT: self = .timedOut
      case CSK_EADDRINUSE: self = .addressInUse
      case CSK_EADDRNOTAVAIL: self = .addressNotAvailable
      case CSK_ENETUNREACH, CSK_EHOSTUNREACH, CSK_ENETDOWN, CSK_EHOSTDOWN: self = .unreachable
      case CSK_EACCES, CSK_EPERM: self = .permissionDenied
      case CSK_EMFILE, CSK_ENFILE, CSK_ETOOMANYREFS: self = .tooManyDescriptors
      case CSK_ENOMEM, CSK_ENOBUFS: self = .outOfMemory
      case 90: self = .messageTooLarge
      case CSK_ENOTCONN, 89: self = .notConnected
      case CSK_EISCONN: self = .alreadyConnected
      case CSK_EINVAL, 33, 34: self = .invalidArgument
      case CSK_EOPNOTSUPP, CSK_ENOPROTOOPT, CSK_ENOSYS: self = .notSupported
      case CSK_EAFNOSUPPORT, CSK_EPROTONOSUPPORT, 94, CSK_ENODEV: self = .protocolNotSupported
      case CSK_ENOTSOCK: self = .notASocket
      case CSK_EEXIST: self = .alreadyRegistered
      case CSK_ENOENT: self = .noSuchPath
      case CSK_EPROTO: self = .protocolViolation
      case CSK_EPROTOTYPE: self = .wrongSocketType
      default: self = .other
      }
    }
  }
}

extension SocketError.Code: CustomStringConvertible {
  /// The failure in words.
  public var description: String {
    let words = [
      "unknown", "failed", "descriptor is closed", "connection refused", "connection reset", "broken pipe", "timed out",
      "cancelled", "address in use", "address not available", "unreachable", "permission denied",
      "too many open descriptors", "out of kernel memory", "message too large", "not connected", "already connected",
      "invalid argument", "not supported", "protocol not supported by this kernel", "not a socket",
      "socket of another kind", "already registered", "not registered", "stale token", "not an address",
      "address too long", "not a port", "no such name", "name service failed", "stream ended early", "no such path",
      "protocol violation", "capacity exceeded", "address of another socket type", "not a network namespace",
      "control data truncated", "transport reset", "destination required",
    ]
    return Int(rawValue) < words.count ? words[Int(rawValue)] : "code \(rawValue)"
  }
}
