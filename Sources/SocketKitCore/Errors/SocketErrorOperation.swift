extension SocketError {
  /// What was being done when an error came: the system call's or the library's own word for it.
  ///
  /// A struct with static members, so that new operations break no caller; third-party transports may add theirs.
  @frozen
  public struct Operation: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8
    /// Numbers below 128 are SocketKit's; take one from 128 upwards for your own.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var open: Self { Self(rawValue: 1) }
    @inlinable public static var adopt: Self { Self(rawValue: 2) }
    @inlinable public static var bind: Self { Self(rawValue: 3) }
    @inlinable public static var listen: Self { Self(rawValue: 4) }
    @inlinable public static var accept: Self { Self(rawValue: 5) }
    @inlinable public static var connect: Self { Self(rawValue: 6) }
    @inlinable public static var read: Self { Self(rawValue: 7) }
    @inlinable public static var write: Self { Self(rawValue: 8) }
    @inlinable public static var receive: Self { Self(rawValue: 9) }
    @inlinable public static var send: Self { Self(rawValue: 10) }
    @inlinable public static var shutdown: Self { Self(rawValue: 11) }
    @inlinable public static var close: Self { Self(rawValue: 12) }
    @inlinable public static var getOption: Self { Self(rawValue: 13) }
    @inlinable public static var setOption: Self { Self(rawValue: 14) }
    @inlinable public static var localAddress: Self { Self(rawValue: 15) }
    @inlinable public static var remoteAddress: Self { Self(rawValue: 16) }
    @inlinable public static var register: Self { Self(rawValue: 17) }
    @inlinable public static var modify: Self { Self(rawValue: 18) }
    @inlinable public static var deregister: Self { Self(rawValue: 19) }
    @inlinable public static var wait: Self { Self(rawValue: 20) }
    @inlinable public static var wake: Self { Self(rawValue: 21) }
    @inlinable public static var resolve: Self { Self(rawValue: 22) }
    @inlinable public static var parse: Self { Self(rawValue: 23) }
    @inlinable public static var pair: Self { Self(rawValue: 24) }
    @inlinable public static var lookup: Self { Self(rawValue: 25) }
    @inlinable public static var transfer: Self { Self(rawValue: 26) }
    @inlinable public static var enterNamespace: Self { Self(rawValue: 27) }
    @inlinable public static var passDescriptors: Self { Self(rawValue: 28) }
  }
}

extension SocketError.Operation: CustomStringConvertible {
  /// The word used in error texts.
  public var description: String {
    let names = [
      "operation", "open socket", "adopt descriptor", "bind", "listen", "accept", "connect", "read", "write", "receive",
      "send", "shutdown", "close", "get option", "set option", "local address", "remote address", "register", "modify",
      "deregister", "wait", "wake", "resolve", "parse", "make socket pair", "look up token", "transfer",
      "enter network namespace", "pass descriptors",
    ]
    return Int(rawValue) < names.count ? names[Int(rawValue)] : "operation \(rawValue)"
  }
}
