internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// An option group for sockets that support the options of tcp(7).
public protocol TCPOptions: IPOptions {}

/// The options that TCP sockets support: those of tcp(7), ip(7) and ipv6(7).
public enum TCPSocketOptions: TCPOptions {}

// Sorted by C name.

extension SocketOption where Group: TCPOptions, Value == Bool {
  private init(_ name: Int32) { self.init(flag: name, level: CSK_IPPROTO_TCP) }
  /// Holds back partial segments until the option is disabled, for at most 200 ms. The C name is `TCP_CORK`.
  public static var cork: Self { Self(CSK_TCP_CORK) }
  /// If the kernel has a cookie from the peer, a connect call returns immediately, and the kernel sends the data of the
  /// first write with the SYN (Linux 4.11; RFC 7413). Set the option before connecting. The connection does not exist
  /// before the first write: until then, `remoteAddress()` throws `.notConnected`. If the peer refuses the connection,
  /// the first operation after the connect call reports the error. The C name is `TCP_FASTOPEN_CONNECT`.
  public static var fastOpenConnect: Self { Self(CSK_TCP_FASTOPEN_CONNECT) }
  /// Sends small segments immediately instead of coalescing them (RFC 896). The C name is `TCP_NODELAY`.
  public static var noDelay: Self { Self(CSK_TCP_NODELAY) }
  /// Sends acknowledgements immediately. The kernel may disable this mode: set the option again after reads. The C name
  /// is `TCP_QUICKACK`.
  public static var quickAcknowledge: Self { Self(CSK_TCP_QUICKACK) }
}

extension SocketOption where Group: TCPOptions, Value == Int {
  private init(_ name: Int32) { self.init(integer: name, level: CSK_IPPROTO_TCP) }
  /// On a listener, the maximum number of pending fast-open requests; 0 disables fast open. Requires the server bit (2)
  /// of net.ipv4.tcp_fastopen. The C name is `TCP_FASTOPEN`.
  public static var fastOpenQueue: Self { Self(CSK_TCP_FASTOPEN) }
  /// The number of unanswered probes after which the connection is dropped. The C name is `TCP_KEEPCNT`.
  public static var keepAliveCount: Self { Self(CSK_TCP_KEEPCNT) }
  /// The maximum segment size in bytes; set it before connecting or listening. The C name is `TCP_MAXSEG`.
  public static var maximumSegment: Self { Self(CSK_TCP_MAXSEG) }
  /// The number of unsent bytes above which the socket is not writable, 0 to 4294967295; 0 selects
  /// net.ipv4.tcp_notsent_lowat. The option keeps latency low without a smaller send buffer. The C name is
  /// `TCP_NOTSENT_LOWAT`.
  public static var notSentLowWater: Self {
    let option = SocketOption<SocketLevelOptions, Int>(integer: CSK_TCP_NOTSENT_LOWAT, level: CSK_IPPROTO_TCP)
    return Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Int in
        Int(UInt32(truncatingIfNeeded: try option.read(target)))
      },
      write: { (target: RawDescriptor, value: Int) throws(SocketError) in
        guard let bits = UInt32(exactly: value) else { throw SocketError(code: .invalidArgument, .setOption) }
        try option.write(target, Int(Int32(bitPattern: bits)))
      })
  }
  /// The number of SYN retransmissions before a connect call fails, 1 to 127. The C name is `TCP_SYNCNT`.
  public static var synRetries: Self { Self(CSK_TCP_SYNCNT) }
  /// The maximum receive window that the kernel advertises to the peer, in bytes. This limit does not depend on the
  /// size of the receive buffer. The minimum is about 1 KiB. 0 sets no limit and is valid only before connecting. The C
  /// name is `TCP_WINDOW_CLAMP`.
  public static var windowClamp: Self { Self(CSK_TCP_WINDOW_CLAMP) }
}

extension SocketOption where Group: TCPOptions, Value == Duration {
  private init(_ name: Int32, unit: Duration) { self.init(duration: name, level: CSK_IPPROTO_TCP, unit: unit) }
  /// On a listener, the time for which the kernel waits for data on a new connection before an accept call returns the
  /// connection. The time is rounded up to whole seconds. The kernel converts it to a number of retransmissions and
  /// rounds this number up. The C name is `TCP_DEFER_ACCEPT`.
  public static var deferAccept: Self { Self(CSK_TCP_DEFER_ACCEPT, unit: .seconds(1)) }
  /// The idle time before the first probe, rounded up to whole seconds. The C name is `TCP_KEEPIDLE`.
  public static var keepAliveIdle: Self { Self(CSK_TCP_KEEPIDLE, unit: .seconds(1)) }
  /// The time between probes, rounded up to whole seconds. The C name is `TCP_KEEPINTVL`.
  public static var keepAliveInterval: Self { Self(CSK_TCP_KEEPINTVL, unit: .seconds(1)) }
  /// The time for which sent data may remain unacknowledged before the connection is dropped, rounded up to whole
  /// milliseconds. Zero selects the kernel's default limit. The C name is `TCP_USER_TIMEOUT`.
  public static var userTimeout: Self { Self(CSK_TCP_USER_TIMEOUT, unit: .milliseconds(1)) }
}

extension SocketOption where Group: TCPOptions, Value == String {
  /// The congestion control algorithm: one of net.ipv4.tcp_available_congestion_control. The C name is
  /// `TCP_CONGESTION`.
  public static var congestionControl: Self { Self(text: CSK_TCP_CONGESTION, level: CSK_IPPROTO_TCP, capacity: 15) }
}
