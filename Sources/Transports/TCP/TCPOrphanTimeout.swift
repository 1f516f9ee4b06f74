internal import CSocketKit
public import SocketKitCore

extension SocketOption where Group: TCPOptions, Value == Duration? {
  /// The time for which a locally closed connection stays in FIN_WAIT2, waiting for the peer to close its side.
  ///
  /// The time is rounded up to whole seconds; the maximum is 120 seconds. Zero selects the host's setting
  /// (net.ipv4.tcp_fin_timeout, 60 s), and reading the option then returns that setting. nil disables the wait: closing
  /// resets a connection whose peer has not closed its side. The C name is `TCP_LINGER2`.
  public static var finWaitTimeout: Self {
    let seconds = SocketOption<SocketLevelOptions, Int>(integer: CSK_TCP_LINGER2, level: CSK_IPPROTO_TCP)
    return Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Duration? in
        let value = try seconds.read(target)
        return value < 0 ? nil : .seconds(value)
      },
      write: { (target: RawDescriptor, value: Duration?) throws(SocketError) in
        guard let value else { return try seconds.write(target, -1) }
        let (whole, rest) = value.components
        // The kernel interprets a value above two minutes as "no wait".
        guard whole >= 0 && rest >= 0 && (whole < 120 || whole == 120 && rest == 0) else {
          throw SocketError(code: .invalidArgument, .setOption)
        }
        try seconds.write(target, Int(whole) + (rest > 0 ? 1 : 0))
      })
  }
}
