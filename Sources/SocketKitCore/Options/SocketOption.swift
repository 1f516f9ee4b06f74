internal import CSocketKit

/// The group of the options of socket(7), which all sockets accept. Sockets without other options use it.
public enum SocketLevelOptions {}

/// A socket option. It consists of a function that reads the value from the kernel and a function that sets the value.
///
/// `Group` is the ``OptionTarget/Options`` type of the sockets that accept the option, so that the options of one
/// protocol cannot be set on the sockets of another protocol. Other packages can define options:
/// ```swift
/// public enum MySocketOptions: IPOptions {}
/// extension SocketOption where Group == MySocketOptions, Value == Bool {
///   public static var checksum: Self { Self(flag: 10, level: 200) }
/// }
/// ```
public struct SocketOption<Group, Value>: Sendable {
  /// The function that reads the value of the option.
  public let read: @Sendable (RawDescriptor) throws(SocketError) -> Value
  /// The function that sets the value of the option.
  public let write: @Sendable (RawDescriptor, Value) throws(SocketError) -> Void

  /// Creates an option from the functions that read and set its value.
  public init(
    read: @escaping @Sendable (RawDescriptor) throws(SocketError) -> Value,
    write: @escaping @Sendable (RawDescriptor, Value) throws(SocketError) -> Void
  ) {
    self.read = read
    self.write = write
  }
}

extension SocketOption where Value == Bool {
  /// Creates an option whose value is an int; zero means false.
  public init(flag name: Int32, level: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Bool in try target.integerOption(level, name) != 0 },
      write: { (target: RawDescriptor, value: Bool) throws(SocketError) in
        try target.setIntegerOption(level, name, value ? 1 : 0)
      })
  }
}

extension SocketOption where Value == Int {
  /// Creates an option whose value is an int.
  public init(integer name: Int32, level: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Int in try target.integerOption(level, name) },
      write: { (target: RawDescriptor, value: Int) throws(SocketError) in
        try target.setIntegerOption(level, name, value)
      })
  }

  /// Creates an option whose value is an int in a range. Setting a value outside the range throws `.invalidArgument`,
  /// because the kernel would truncate or wrap the value.
  package init(integer name: Int32, level: Int32, in range: ClosedRange<Int>) {
    let option = Self(integer: name, level: level)
    self.init(
      read: option.read,
      write: { (target: RawDescriptor, value: Int) throws(SocketError) in
        guard range.contains(value) else { throw SocketError(code: .invalidArgument, .setOption) }
        try option.write(target, value)
      })
  }

  /// Creates an option whose value is an unsigned int of 32 bits.
  init(unsigned name: Int32, level: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Int in
        Int(UInt32(truncatingIfNeeded: try target.integerOption(level, name)))
      },
      write: { (target: RawDescriptor, value: Int) throws(SocketError) in
        guard let bits = UInt32(exactly: value) else { throw SocketError(code: .invalidArgument, .setOption) }
        try target.setIntegerOption(level, name, Int(Int32(bitPattern: bits)))
      })
  }
}

extension SocketOption where Value == Duration {
  /// Creates an option whose value is a duration, which the kernel stores as an int in the given unit. A duration that
  /// is not a whole number of units is rounded up. Setting a negative duration or a duration of more than 2147483647
  /// units throws `.invalidArgument`.
  /// - Parameter unit: the unit of time, greater than zero.
  public init(duration name: Int32, level: Int32, unit: Duration) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Duration in
        unit * (try target.integerOption(level, name))
      },
      write: { (target: RawDescriptor, value: Duration) throws(SocketError) in
        guard let count = value.count(of: unit) else { throw SocketError(code: .invalidArgument, .setOption) }
        try target.setIntegerOption(level, name, Int(count))
      })
  }
}

extension Duration {
  /// Returns this duration as a number of units, rounded up; nil if the duration is negative or the number exceeds
  /// `Int32.max`.
  ///
  /// The method uses integer arithmetic, because a floating-point division would round 4750 seconds up to 4751 seconds.
  func count(of unit: Duration) -> Int32? {
    guard self >= .zero, unit > .zero else { return nil }
    let (whole, rest) = attoseconds.quotientAndRemainder(dividingBy: unit.attoseconds)
    return Int32(exactly: rest == 0 ? whole : whole + 1)
  }
}

extension SocketOption where Value == String {
  /// Creates an option whose value is a name. Setting the option throws `.invalidArgument` if the name contains a zero
  /// byte or is longer than the capacity.
  /// - Parameter capacity: the length of the longest value in bytes.
  public init(text name: Int32, level: Int32, capacity: Int) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> String in
        var bytes = [UInt8](repeating: 0, count: max(0, capacity) + 1)
        let result = target.readOption(level, name, into: &bytes)
        if result.isFailure { throw SocketError(result, .getOption) }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      },
      write: { (target: RawDescriptor, value: String) throws(SocketError) in
        let bytes = Array(value.utf8)
        guard bytes.count <= capacity, !bytes.contains(0) else { throw SocketError(code: .invalidArgument, .setOption) }
        let result = target.writeOption(level, name, bytes: bytes.span.integerBytes)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}

extension SocketOption where Value == [UInt8] {
  /// Creates an option whose value is an array of bytes in the kernel's format. The length of the value may vary. Use
  /// this initializer for an option that SocketKit does not define:
  /// ```swift
  /// let cookie = try socket.option(SocketOption(bytes: SO_COOKIE, level: SOL_SOCKET, capacity: 8))
  /// ```
  /// - Parameters:
  ///   - name: the number of the option.
  ///   - level: the level of the option, such as `SOL_SOCKET`.
  ///   - capacity: the length of the longest value that a read returns, in bytes. If the value is longer, the kernel
  ///     truncates it or the read fails.
  ///   - request: the first bytes of the buffer that a read passes to the kernel. Some SCTP options expect an
  ///     association ID in these bytes. Bytes beyond the capacity are ignored.
  public init(bytes name: Int32, level: Int32, capacity: Int = 512, request: [UInt8] = []) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> [UInt8] in
        let capacity = max(0, capacity)
        var bytes = Array(request.prefix(capacity))
        bytes += repeatElement(0, count: capacity - bytes.count)
        let result = target.readOption(level, name, into: &bytes)
        if result.isFailure { throw SocketError(result, .getOption) }
        return bytes
      },
      write: { (target: RawDescriptor, value: [UInt8]) throws(SocketError) in
        let result = target.writeOption(level, name, bytes: value.span.integerBytes)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}

extension RawDescriptor {
  /// Returns the value of an option whose value is an int.
  /// - Parameter operation: the operation that a thrown error contains.
  package func integerOption(
    _ level: Int32, _ name: Int32, _ operation: SocketError.Operation = .getOption
  ) throws(SocketError) -> Int {
    var number: Int32 = 0
    var length = 0
    let result = readOption(level, name, into: &number, &length)
    if result.isFailure { throw SocketError(result, operation) }
    return Int(number)
  }

  package func setIntegerOption(_ level: Int32, _ name: Int32, _ value: Int) throws(SocketError) {
    guard let number = Int32(exactly: value) else { throw SocketError(code: .invalidArgument, .setOption) }
    let result = writeOption(level, name, number)
    if result.isFailure { throw SocketError(result, .setOption) }
  }

  /// Returns and clears the pending error of a socket (SO_ERROR).
  func takePendingError(_ operation: SocketError.Operation) throws(SocketError) -> SocketError? {
    let number = try integerOption(CSK_SOL_SOCKET, CSK_SO_ERROR)
    return number == 0 ? nil : SocketError(.failure(errno: Int32(truncatingIfNeeded: number)), operation)
  }
}
