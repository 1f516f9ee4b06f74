public import SocketKitCore

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

extension StreamSocketSuite where S: KernelSocket & ~Copyable {
  /// Creates the suite for a kernel socket. An additional rule requires that system calls on the descriptor transfer
  /// the same bytes as the methods.
  ///
  /// - Parameters:
  ///   - name: the name of the transport in reports.
  ///   - makePair: creates two connected sockets for each rule. May block, and may throw ``ConformanceUnavailable``
  ///     with the cause.
  public init(_ name: String, makePair: @escaping @Sendable () throws -> SocketPair<S>) {
    self.init(
      named: name, makePair: makePair,
      more: [
        ConformanceRule(
          "stream.kernel.same-bytes",
          "Methods and system calls on the descriptor of a kernel socket can be mixed and transfer the same bytes."
        ) { try Ends(makePair).use { try Self.mixKernelCalls($0) } }
      ])
  }

  private static func mixKernelCalls(_ ends: Ends<S>) throws {
    var random = SeededRandom(seed: 31)
    for turn in 0..<32 {
      let bytes = random.bytes(1 + turn * 97)
      let (writer, reader) = turn % 8 < 4 ? (ends.near, ends.far) : (ends.far, ends.near)
      if turn % 2 == 0 {
        try writer.writeAll(bytes)
      } else {
        try writeByKernel(bytes, to: writer.value.descriptor)
      }
      // Read some of the bytes with a method and the rest with a system call: a method must not read more from the
      // kernel than it returns.
      let first = turn % 4 == 1 ? bytes.count : turn % 4 == 0 ? 0 : bytes.count / 2
      let seen =
        try reader.readExactly(first) + readByKernel(bytes.count - first, from: reader.value.descriptor)
      try requireSameBytes(seen, bytes, "the bytes of turn \(turn)")
    }
  }

  private static func writeByKernel(_ bytes: [UInt8], to descriptor: RawDescriptor) throws {
    var rest = bytes[...]
    let deadline = Deadline.after(Times.limit)
    while !rest.isEmpty {
      // The bytes outlive the call.
      let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor.value, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else {
        try require(errno == EAGAIN || errno == EINTR, "write(2) failed with errno \(errno)")
        try require(!deadline.hasPassed, "write(2) found no free buffer space")
        pause(.milliseconds(1))
      }
    }
  }

  private static func readByKernel(_ count: Int, from descriptor: RawDescriptor) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: count)
    while bytes.count < count {
      try require(descriptor.becomesReadable(within: Times.limit), "only \(bytes.count) of \(count) bytes arrived")
      // The buffer has room for `count` bytes, and outlives the call.
      let taken = unsafe read(descriptor.value, &buffer, count - bytes.count)
      try require(taken != 0, "read(2) returned 0 after \(bytes.count) of \(count) bytes")
      if taken < 0 {
        try require(errno == EAGAIN || errno == EINTR, "read(2) failed with errno \(errno)")
      } else {
        bytes += buffer.prefix(taken)
      }
    }
    return bytes
  }
}
