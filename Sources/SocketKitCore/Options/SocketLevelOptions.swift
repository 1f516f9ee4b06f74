internal import CSocketKit

// The options of socket(7), sorted by their C names. There is a separate extension for each type of value, so that a
// program can write `.keepAlive` with a leading dot.

extension SocketOption where Value == Bool {
  private init(_ name: Int32) { self.init(flag: name, level: CSK_SOL_SOCKET) }
  /// Allows sending datagrams to a broadcast address. The C name is `SO_BROADCAST`.
  public static var broadcast: Self { Self(CSK_SO_BROADCAST) }
  /// Makes the kernel log the socket's activity, if the kernel was built with this feature. Setting true requires
  /// CAP_NET_ADMIN. The C name is `SO_DEBUG`.
  public static var debugging: Self { Self(CSK_SO_DEBUG) }
  /// Allows sending only to hosts on directly connected networks. No packet is sent through a gateway. A send to
  /// another host fails with `.unreachable`. The C name is `SO_DONTROUTE`.
  public static var directRoutesOnly: Self { Self(CSK_SO_DONTROUTE) }
  /// Makes the kernel probe an idle connection, and end the connection if the peer does not reply. The C name is
  /// `SO_KEEPALIVE`.
  public static var keepAlive: Self { Self(CSK_SO_KEEPALIVE) }
  /// Makes ordinary reads return urgent data at its position in the stream. The C name is `SO_OOBINLINE`.
  public static var urgentDataInline: Self { Self(CSK_SO_OOBINLINE) }
  /// Makes the kernel prefer busy polling to interrupts (Linux 5.11). The C name is `SO_PREFER_BUSY_POLL`.
  public static var preferBusyPoll: Self { Self(CSK_SO_PREFER_BUSY_POLL) }
  /// Lets a socket bind to an address even if connections of this address are still in TIME_WAIT. SocketKit's TCP
  /// listeners set this option. The C name is `SO_REUSEADDR`.
  public static var reuseAddress: Self { Self(CSK_SO_REUSEADDR) }
  /// Lets several sockets of one user bind to the same address, if each of them sets this option. The kernel
  /// distributes connections among them. The C name is `SO_REUSEPORT`.
  public static var reusePort: Self { Self(CSK_SO_REUSEPORT) }
  /// Reports, with each received message, the number of messages that the socket has dropped so far because its receive
  /// buffer was full (`PacketMetadata.dropCount`). The C name is `SO_RXQ_OVFL`.
  public static var dropCount: Self { Self(CSK_SO_RXQ_OVFL) }
  /// Reports the time when the kernel received each message, in microseconds. The C name is `SO_TIMESTAMP`.
  public static var timestamps: Self { Self(CSK_SO_TIMESTAMP) }
  /// Reports the time when the kernel received each message, in nanoseconds. The C name is `SO_TIMESTAMPNS`.
  public static var nanosecondTimestamps: Self { Self(CSK_SO_TIMESTAMPNS) }
  /// Allows a send with ``SendFlags/zeroCopy``, which transmits the caller's memory without a copy (TCP since Linux
  /// 4.14, UDP since Linux 5.0). See `ZeroCopySender`. The C name is `SO_ZEROCOPY`.
  public static var zeroCopy: Self { Self(CSK_SO_ZEROCOPY) }
}

extension ReadOnlySocketOption where Value == Bool {
  /// Whether the socket listens. The C name is `SO_ACCEPTCONN`.
  public static var isListening: Self {
    Self(read: SocketOption<Group, Bool>(flag: CSK_SO_ACCEPTCONN, level: CSK_SOL_SOCKET).read)
  }
}

extension SocketOption where Value == Int {
  private init(_ name: Int32) { self.init(integer: name, level: CSK_SOL_SOCKET) }
  private init(_ name: Int32, from least: Int) {
    self.init(integer: name, level: CSK_SOL_SOCKET, in: least...Int(Int32.max))
  }
  /// The index of the interface that the socket is bound to; 0 for none (Linux 5.1). See ``boundDevice`` and
  /// `InterfaceNames`. The C name is `SO_BINDTOIFINDEX`.
  public static var boundInterface: Self { Self(CSK_SO_BINDTOIFINDEX) }
  /// The largest number of packets that the kernel processes in one busy poll, at most 65535 (Linux 5.11). Increasing
  /// the value requires CAP_NET_ADMIN. Reading the option throws `.notSupported`, because the kernel provides no call
  /// to read it. The C name is `SO_BUSY_POLL_BUDGET`.
  public static var busyPollBudget: Self { Self(CSK_SO_BUSY_POLL_BUDGET) }
  /// The number of the CPU whose network queue delivers packets to the socket; -1 if it is unknown. The C name is
  /// `SO_INCOMING_CPU`.
  public static var incomingCPU: Self { Self(CSK_SO_INCOMING_CPU) }
  /// The mark of the socket's packets for routing and firewall rules, 0 to 4294967295. Setting it requires
  /// CAP_NET_ADMIN. The C name is `SO_MARK`.
  public static var mark: Self { Self(unsigned: CSK_SO_MARK, level: CSK_SOL_SOCKET) }
  /// The queueing priority of outgoing packets, at least 0. A priority above 6 requires CAP_NET_ADMIN. The C name is
  /// `SO_PRIORITY`.
  public static var priority: Self { Self(CSK_SO_PRIORITY, from: 0) }
  /// The size of the receive buffer in bytes, at least 0. Linux doubles the value that is set, to provide space for its
  /// own data structures, and reading the option returns the doubled value. A process with CAP_NET_ADMIN can exceed
  /// net.core.rmem_max (`SO_RCVBUFFORCE`). The C name is `SO_RCVBUF`.
  public static var receiveBuffer: Self { forced(CSK_SO_RCVBUFFORCE, CSK_SO_RCVBUF) }
  /// The number of bytes that must arrive before a poller reports the socket as readable, at least 0. Zero has the same
  /// effect as 1. The C name is `SO_RCVLOWAT`.
  public static var receiveLowWater: Self { Self(CSK_SO_RCVLOWAT, from: 0) }
  /// The size of the send buffer in bytes, at least 0. Linux doubles the value, as for ``receiveBuffer``. A process
  /// with CAP_NET_ADMIN can exceed net.core.wmem_max (`SO_SNDBUFFORCE`). The C name is `SO_SNDBUF`.
  public static var sendBuffer: Self { forced(CSK_SO_SNDBUFFORCE, CSK_SO_SNDBUF) }
  /// The flags that select which timestamps the kernel makes. The kernel's timestamping.rst describes the flags. The
  /// kernel starts timestamping in the background, so the first packets may have no timestamp. The C name is
  /// `SO_TIMESTAMPING`.
  public static var timestampingFlags: Self { Self(CSK_SO_TIMESTAMPING) }

  private static func forced(_ privileged: Int32, _ plain: Int32) -> Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Int in try target.integerOption(CSK_SOL_SOCKET, plain) },
      write: { (target: RawDescriptor, value: Int) throws(SocketError) in
        // The kernel would interpret a negative number as the largest size.
        if value < 0 { throw SocketError(code: .invalidArgument, .setOption) }
        do throws(SocketError) {
          try target.setIntegerOption(CSK_SOL_SOCKET, privileged, value)
        } catch {
          if error.errno != CSK_EPERM { throw error }
          try target.setIntegerOption(CSK_SOL_SOCKET, plain, value)
        }
      })
  }
}

extension SocketOption where Value == Duration {
  /// The time during which a blocking read may poll the network device, rounded up to microseconds. On older kernels,
  /// increasing the time requires CAP_NET_ADMIN (`.permissionDenied`). On Linux 6.18 it requires no privilege. The C
  /// name is `SO_BUSY_POLL`.
  public static var busyPoll: Self {
    Self(duration: CSK_SO_BUSY_POLL, level: CSK_SOL_SOCKET, unit: .microseconds(1))
  }
}

extension SocketOption where Value == String {
  /// The name of the interface that the socket is bound to. An empty name means none. The C name is `SO_BINDTODEVICE`.
  public static var boundDevice: Self { Self(text: CSK_SO_BINDTODEVICE, level: CSK_SOL_SOCKET, capacity: 15) }
}

extension SocketOption where Value == Duration? {
  /// The handling of unsent bytes when the socket is closed. With nil, the kernel sends the bytes in the background.
  /// With zero, the kernel discards the bytes and resets the connection. With any other time, closing waits until the
  /// bytes are sent, but at most for this time. The time is rounded up to whole seconds. Setting a negative time throws
  /// `.invalidArgument`. The C name is `SO_LINGER`.
  public static var linger: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Duration? in
        var value = csk_linger()
        var length = 0
        // The structure consists of integers.
        let result = unsafe target.readOption(CSK_SOL_SOCKET, CSK_SO_LINGER, intoStructure: &value, &length)
        if result.isFailure { throw SocketError(result, .getOption) }
        return value.on == 0 ? nil : .seconds(value.seconds)
      },
      write: { (target: RawDescriptor, value: Duration?) throws(SocketError) in
        guard let seconds = (value ?? .zero).count(of: .seconds(1)) else {
          throw SocketError(code: .invalidArgument, .setOption)
        }
        let linger = csk_linger(on: value == nil ? 0 : 1, seconds: seconds)
        let result = target.writeOption(CSK_SOL_SOCKET, CSK_SO_LINGER, linger)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}
