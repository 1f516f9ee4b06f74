/// The events for which a poller watches a descriptor. An empty interest pauses a registration.
@frozen
public struct Interest: OptionSet, BitwiseCopyable, Hashable, Sendable {
  /// The bits of epoll_ctl(2), and the bit of ``changes``. poll(2) uses some of the bits of epoll_ctl(2), with the same
  /// meaning.
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// There is data to read, there is a connection to accept, or the stream has ended (EPOLLIN).
  @inlinable public static var readable: Self { Self(rawValue: 0x1) }
  /// There is buffer space to write, or a connect has finished (EPOLLOUT).
  @inlinable public static var writable: Self { Self(rawValue: 0x4) }
  /// Urgent data, or an exceptional condition (EPOLLPRI).
  @inlinable public static var priority: Self { Self(rawValue: 0x2) }
  /// The peer has closed the connection or shut down its sending side (EPOLLRDHUP).
  @inlinable public static var readClosed: Self { Self(rawValue: 0x2000) }
  /// Changes of a wrapper that buffers bytes itself. Other threads make these changes, and announce them with
  /// ``RawDescriptor/announceChanges()``. Use this flag only in results of ``Watchable/sources(for:)``. A waiting call
  /// wakes up after such a change. A poller does not report the change.
  @inlinable public static var changes: Self { Self(rawValue: 0x1_0000) }

  /// Whether a bit concerns the receiving direction.
  @inlinable var hasReading: Bool { rawValue & 0x2003 != 0 }

  /// The bits that SocketKit passes to the kernel: the bits of the members of this type, without ``changes``.
  @inlinable public var events: Interest { intersection(Interest(rawValue: 0x2007)) }
}

/// The way in which a poller reports a ready descriptor. The empty value is level triggering: every wait reports the
/// descriptor while it is ready. ``PollerCapabilities`` lists the triggers that a poller supports.
@frozen
public struct Trigger: OptionSet, BitwiseCopyable, Hashable, Sendable {
  /// The bits of epoll_ctl(2).
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Report a change once when it occurs, and not again while the descriptor stays ready (EPOLLET). Read or write until
  /// the call returns nil; otherwise the poller never reports the rest.
  @inlinable public static var edge: Self { Self(rawValue: 1 << 31) }
  /// Report one event, then stop watching until the registration is modified (EPOLLONESHOT).
  @inlinable public static var oneShot: Self { Self(rawValue: 1 << 30) }
  /// Wake at least one, but not necessarily all, of several pollers that watch the same descriptor (EPOLLEXCLUSIVE,
  /// Linux 4.5). Such a registration cannot be modified.
  @inlinable public static var exclusive: Self { Self(rawValue: 1 << 28) }

  /// The bits of the members of this type. SocketKit passes no other bits of the raw value to the kernel.
  @inlinable public var known: Trigger { intersection([.edge, .oneShot, .exclusive]) }
}

/// The readiness that a poller found. The flags are hints: a call on a descriptor that was reported as ready may still
/// return nil. However, the poller always reports a descriptor that is ready.
@frozen
public struct Readiness: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A read or an accept would not block. This includes the end of the stream.
  @inlinable public static var readable: Self { Self(rawValue: 0x1) }
  /// An exceptional condition, such as urgent data on a TCP socket (EPOLLPRI, see poll(2)).
  @inlinable public static var priority: Self { Self(rawValue: 0x2) }
  /// A write would not block.
  @inlinable public static var writable: Self { Self(rawValue: 0x4) }
  /// The socket has an error, which the next operation throws (EPOLLERR). Pollers report this flag for every interest.
  @inlinable public static var error: Self { Self(rawValue: 0x8) }
  /// Both directions have ended (EPOLLHUP). Pollers report this flag for every interest.
  @inlinable public static var hangUp: Self { Self(rawValue: 0x10) }
  /// The descriptor was closed while it was registered (POLLNVAL): deregister it. Only poll(2), and therefore only
  /// `PollPoller`, can report this flag.
  @inlinable public static var invalid: Self { Self(rawValue: 0x20) }
  /// The peer has closed the connection or shut down its sending side (EPOLLRDHUP).
  @inlinable public static var readClosed: Self { Self(rawValue: 0x2000) }
}
