public import CSocketKit

/// A byte stream over a descriptor that is not a socket, such as a pipe, a terminal, a timerfd, an eventfd or a file.
///
/// ```swift
/// let input = try DescriptorStream(adopting: unsafe Descriptor(unsafeOwning: RawDescriptor(number)))
/// switch try input.read(into: buffer.mutableSpan, until: .after(.seconds(1))) { … }
/// ```
/// Like a socket, the stream supports reads, writes, and waits with deadlines. A poller can watch the stream. Methods
/// that only sockets support (addresses, shutdown, options) throw `.notASocket`.
///
/// A read or a write has the same result as read(2) or write(2) on a descriptor of this kind:
/// - Reading a timerfd or an eventfd returns 8 bytes in host order; with a smaller buffer, the read throws
///   `.invalidArgument`. Writing 8 bytes to an eventfd adds their value to its counter. Reading a signalfd returns
///   records of 128 bytes.
/// - Reading a terminal in canonical mode returns one line at a time.
/// - A read from the write end of a pipe throws `.closed`, and so does a write to the read end.
/// - Writing to a pipe without a reader throws `.brokenPipe`. The write does not raise SIGPIPE. To suppress the signal,
///   each write to a pipe makes two more system calls.
/// - A regular file is always ready. A read or a write waits for the disk. Registering a regular file with an epoll
///   poller throws `.notSupported`.
@frozen
public struct DescriptorStream: ~Copyable, StreamSocket, KernelSocket {
  public typealias Options = SocketLevelOptions
  public typealias Address = AnySocketAddress

  @usableFromInline let owned: Descriptor
  /// Whether writing may raise SIGPIPE.
  @usableFromInline let isPipe: Bool

  /// Takes ownership of a descriptor and makes the descriptor non-blocking.
  ///
  /// The non-blocking flag belongs to the open file: it applies to all descriptors of the open file, including
  /// descriptors in other processes. A shell may fail if its terminal becomes non-blocking. To get a separate open
  /// file, open the path of the terminal (`/dev/tty`, `/proc/self/fd/0`).
  /// - Throws: `.wrongSocketKind` for a socket, because sockets have their own types; `.closed`. If the call throws, it
  ///   closes the descriptor.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    let raw = descriptor.raw
    try raw.checkOpen()
    if !raw.isNoSocket { throw SocketError(code: .wrongSocketKind, .adopt) }
    try raw.setBlocking(false)
    self.init(owning: descriptor)
  }

  /// Takes ownership of a descriptor without a check. The descriptor must be non-blocking and must not be a socket.
  public init(owning descriptor: consuming Descriptor) {
    isPipe = csk_fcntl(descriptor.raw.value, CSK_F_GETPIPE_SZ, 0) >= 0
    owned = descriptor
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// The empty set, because the capabilities depend on the kind of the descriptor.
  @inlinable public static var capabilities: SocketCapabilities { [] }

  @inlinable
  public borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    let number = owned.raw.value
    // The kernel writes at most `count` bytes, and writes them only during the call.
    return unsafe buffer.withUnsafeMutableBytes { memory in
      var result = unsafe csk_read(number, memory.baseAddress, memory.count)
      while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_read(number, memory.baseAddress, memory.count) }
      return IOResult(raw: result)
    }
  }

  @inlinable
  public borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult {
    let number = owned.raw.value
    // The kernel reads the bytes only during the call.
    return unsafe bytes.withUnsafeBytes { memory in
      withoutSignal(for: memory.count) { unsafe csk_write(number, memory.baseAddress, memory.count) }
    }
  }

  // The caller guarantees that the segments and their memory exist during the call.
  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let number = owned.raw.value
    let vectors = unsafe csk_msghdr(gathering: segments)
    var result = unsafe csk_readv(number, vectors.vectors, vectors.vector_count)
    while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_readv(number, vectors.vectors, vectors.vector_count) }
    return IOResult(raw: result)
  }

  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let number = owned.raw.value
    let vectors = unsafe csk_msghdr(gathering: segments)
    return withoutSignal(for: .max) { unsafe csk_writev(number, vectors.vectors, vectors.vector_count) }
  }

  /// Makes the call. If the call may raise SIGPIPE, this method blocks the signal during the call, and then removes a
  /// pending signal that the call raised. Before Linux 6.18, write(2) has no flag that suppresses the signal.
  @inlinable
  borrowing func withoutSignal(for count: Int, _ call: () -> Int) -> IOResult {
    // Each of the two C functions below accesses `signal` only during its call.
    var signal = csk_pipe_signal()
    if isPipe {
      let blocked = IOResult(raw: unsafe csk_pipe_signal_block(&signal))
      if blocked.isFailure { return blocked }
    }
    var result = call()
    while result == 0 &- Int(CSK_EINTR) { result = call() }
    if isPipe {
      // A partial write may have raised the signal for the rest of the bytes.
      let mayBeRaised = result == 0 &- Int(CSK_EPIPE) || (result > 0 && result < count)
      unsafe csk_pipe_signal_restore(&signal, mayBeRaised ? 1 : 0)
    }
    return IOResult(raw: result)
  }
}

extension RawDescriptor {
  /// Whether getsockopt(2) fails with ENOTSOCK.
  var isNoSocket: Bool {
    var number: Int32 = 0
    var length = 0
    return readOption(CSK_SOL_SOCKET, CSK_SO_TYPE, into: &number, &length).errno == CSK_ENOTSOCK
  }
}
