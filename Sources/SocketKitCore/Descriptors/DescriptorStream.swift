public import CSocketKit

/// A byte stream over a descriptor that is not a socket: a pipe, a terminal, a timerfd, an eventfd, a file.
///
/// ```swift
/// let input = try DescriptorStream(adopting: unsafe Descriptor(unsafeOwning: RawDescriptor(number)))
/// switch try input.read(into: buffer.mutableSpan, until: .after(.seconds(1))) { … }
/// ```
/// It reads, writes and waits with deadlines as sockets do, and pollers watch it. Calls for sockets only (addresses,
/// shutdown, options) throw `.notASocket`.
///
/// Reads and writes do what read(2) and write(2) do for the kind of descriptor:
/// - A timerfd and an eventfd read as 8 bytes in host order; a smaller buffer is `.invalidArgument`. An eventfd adds
///   the 8 bytes that are written to it. A signalfd reads as records of 128 bytes.
/// - A terminal in canonical mode reads one line at a time.
/// - Reading from the writing end of a pipe is `.closed`, and so is writing to the reading end.
/// - Writing to a pipe without a reader is `.brokenPipe`. It raises no SIGPIPE; that costs two more system calls for
///   each write to a pipe.
/// - A regular file is always ready. Reads and writes wait for the disk, and registering one with an epoll poller is
///   `.notSupported`.
@frozen
public struct DescriptorStream: ~Copyable, StreamSocket, KernelSocket {
  public typealias Options = SocketLevelOptions
  public typealias Address = AnySocketAddress

  @usableFromInline let owned: Descriptor
  /// Whether writing may raise SIGPIPE.
  @usableFromInline let isPipe: Bool

  /// Takes over a descriptor, and makes it non-blocking.
  ///
  /// Whether a descriptor blocks is a flag of the open file, which all its copies share, those in other processes too:
  /// a shell whose terminal was made non-blocking may misbehave. Open the terminal's path (`/dev/tty`,
  /// `/proc/self/fd/0`) for an open file of your own.
  /// - Throws: `.wrongSocketKind` for a socket, which has a type of its own; `.closed`. The descriptor is closed then.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    let raw = descriptor.raw
    try raw.checkOpen()
    if !raw.isNoSocket { throw SocketError(code: .wrongSocketKind, .adopt) }
    try raw.setBlocking(false)
    self.init(owning: descriptor)
  }

  /// Takes over a descriptor without looking at it: it is not a socket, and is non-blocking.
  public init(owning descriptor: consuming Descriptor) {
    isPipe = csk_fcntl(descriptor.raw.value, CSK_F_GETPIPE_SZ, 0) >= 0
    owned = descriptor
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// None: what a descriptor can do depends on its kind.
  @inlinable public static var capabilities: SocketCapabilities { [] }

  @inlinable
  public borrowing func attemptReceive(into buffer: inout MutableRawSpan) -> IOResult {
    let number = owned.raw.value
    return buffer.withUnsafeMutableBytes { memory in
      var result = csk_read(number, memory.baseAddress, memory.count)
      while result == 0 &- Int(CSK_EINTR) { result = csk_read(number, memory.baseAddress, memory.count) }
      return IOResult(raw: result)
    }
  }

  @inlinable
  public borrowing func attemptSend(_ bytes: RawSpan) -> IOResult {
    let number = owned.raw.value
    return bytes.withUnsafeBytes { memory in
      withoutSignal(for: memory.count) { csk_write(number, memory.baseAddress, memory.count) }
    }
  }

  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let vectors = csk_msghdr(gathering: segments)
    var result = csk_readv(owned.raw.value, vectors.vectors, vectors.vector_count)
    while result == 0 &- Int(CSK_EINTR) { result = csk_readv(owned.raw.value, vectors.vectors, vectors.vector_count) }
    return IOResult(raw: result)
  }

  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let number = owned.raw.value
    let vectors = csk_msghdr(gathering: segments)
    return withoutSignal(for: .max) { csk_writev(number, vectors.vectors, vectors.vector_count) }
  }

  /// Calls with SIGPIPE blocked where the call may raise it, and takes the signal that it raised. write(2) has no flag
  /// against it before Linux 6.18.
  @inlinable
  borrowing func withoutSignal(for count: Int, _ call: () -> Int) -> IOResult {
    var signal = csk_pipe_signal()
    if isPipe {
      let blocked = IOResult(raw: csk_pipe_signal_block(&signal))
      if blocked.isFailure { return blocked }
    }
    var result = call()
    while result == 0 &- Int(CSK_EINTR) { result = call() }
    if isPipe {
      // A write of a part may have reached the closed end after that part.
      let mayBeRaised = result == 0 &- Int(CSK_EPIPE) || (result > 0 && result < count)
      csk_pipe_signal_restore(&signal, mayBeRaised ? 1 : 0)
    }
    return IOResult(raw: result)
  }
}

extension RawDescriptor {
  /// Whether getsockopt(2) says that this is not a socket.
  var isNoSocket: Bool {
    var number: Int32 = 0
    var length: UInt32 = 4
    return csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_TYPE, &number, &length) == 0 - Int(CSK_ENOTSOCK)
  }
}
