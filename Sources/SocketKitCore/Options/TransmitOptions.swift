internal import CSocketKit

// Options of socket(7) for the time and the rate at which packets are sent, sorted by their C names. Queueing
// disciplines implement these options, but TCP limits its rate itself.

extension SocketOption where Value == Int? {
  /// The maximum number of bytes per second that the socket sends; nil for no limit. Setting a number less than 1
  /// throws `.invalidArgument`. TCP applies the limit without a queueing discipline. For datagrams, only the queueing
  /// discipline `fq` applies the limit. Before Linux 4.20, the kernel stores only the lower 32 bits of the number. The
  /// C name is `SO_MAX_PACING_RATE` (Linux 3.13).
  public static var maximumPacingRate: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Int? in
        var rate: UInt64 = 0
        var length = 0
        let result = target.readOption(CSK_SOL_SOCKET, CSK_SO_MAX_PACING_RATE, into: &rate, &length)
        if result.isFailure { throw SocketError(result, .getOption) }
        // If all bits of the value that the kernel wrote are set, there is no limit.
        let unlimited = length < 8 ? UInt64(UInt32.max) : .max
        return rate == unlimited ? nil : Int(clamping: rate)
      },
      write: { (target: RawDescriptor, value: Int?) throws(SocketError) in
        if let value, value < 1 { throw SocketError(code: .invalidArgument, .setOption) }
        let rate = value.map { UInt64($0) } ?? .max
        let result = target.writeOption(CSK_SOL_SOCKET, CSK_SO_MAX_PACING_RATE, rate)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}

/// The settings with which a socket sends packets at specified times: struct sock_txtime of linux/net_tstamp.h.
@frozen
public struct TransmitTime: BitwiseCopyable, Hashable, Sendable {
  /// The clock of `OutgoingMetadata.transmitTime`; see clock_gettime(2).
  @frozen
  public struct Clock: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: Int32
    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }
    /// CLOCK_REALTIME. This clock requires CAP_NET_ADMIN.
    @inlinable public static var realtime: Self { Self(rawValue: 0) }
    /// CLOCK_MONOTONIC, the clock of the queueing discipline `fq`.
    @inlinable public static var monotonic: Self { Self(rawValue: 1) }
    /// CLOCK_TAI, the clock of the queueing discipline `etf`. This clock requires CAP_NET_ADMIN.
    @inlinable public static var tai: Self { Self(rawValue: 11) }
  }

  /// The clock that measures the time.
  public var clock: Clock
  /// Whether the transmit time is the latest time at which a packet is sent. If true, `etf` may send the packet earlier
  /// (SOF_TXTIME_DEADLINE_MODE). If false, the transmit time is the earliest time at which
  /// the packet may be sent.
  public var isDeadline: Bool
  /// Whether the kernel puts an entry of origin `ExtendedError.Origin.transmitTime` into the error queue for each
  /// packet that was not sent (SOF_TXTIME_REPORT_ERRORS).
  public var reportsErrors: Bool

  /// Creates settings. By default, the transmit time is the earliest time, and packets that were not sent are not
  /// reported.
  @inlinable
  public init(_ clock: Clock, isDeadline: Bool = false, reportsErrors: Bool = false) {
    self.clock = clock
    self.isDeadline = isDeadline
    self.reportsErrors = reportsErrors
  }
}

extension SocketOption where Value == TransmitTime {
  /// Lets a program set the time at which a packet is sent (`OutgoingMetadata.transmitTime`). After the option is set,
  /// it cannot be switched off. A queueing discipline (`fq` or `etf`) delays the packets. Without such a queueing
  /// discipline, as on loopback, the packets are sent immediately. Without CAP_NET_ADMIN, setting the option throws
  /// `.permissionDenied` unless the clock is ``TransmitTime/Clock/monotonic``. If the option is not set, reading it
  /// returns the realtime clock. The C name is `SO_TXTIME` (Linux 4.19).
  public static var transmitTime: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> TransmitTime in
        var value = csk_transmit_time()
        var length = 0
        // The structure consists of integers.
        let result = unsafe target.readOption(CSK_SOL_SOCKET, CSK_SO_TXTIME, intoStructure: &value, &length)
        if result.isFailure { throw SocketError(result, .getOption) }
        return TransmitTime(
          TransmitTime.Clock(rawValue: value.clock),
          isDeadline: value.flags & UInt32(CSK_SOF_TXTIME_DEADLINE_MODE) != 0,
          reportsErrors: value.flags & UInt32(CSK_SOF_TXTIME_REPORT_ERRORS) != 0)
      },
      write: { (target: RawDescriptor, value: TransmitTime) throws(SocketError) in
        let flags =
          (value.isDeadline ? CSK_SOF_TXTIME_DEADLINE_MODE : 0)
          | (value.reportsErrors ? CSK_SOF_TXTIME_REPORT_ERRORS : 0)
        let time = csk_transmit_time(clock: value.clock.rawValue, flags: UInt32(flags))
        let result = target.writeOption(CSK_SOL_SOCKET, CSK_SO_TXTIME, time)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}
