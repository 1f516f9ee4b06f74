internal import CSocketKit
internal import SocketKitCore
internal import SocketKitIP

// These functions read and write the kernel's structures for all options of this module.

extension RawDescriptor {
  /// Calls getsockopt(2) with a value-result argument: a structure that contains the input parameters and receives the
  /// result.
  func sctpOption<Value: BitwiseCopyable>(
    _ name: Int32, asking question: Value, _ operation: SocketError.Operation = .getOption
  ) throws(SocketError) -> Value {
    var value = question
    var length = 0
    // The callers pass structures that consist of integers.
    let result = unsafe readOption(CSK_IPPROTO_SCTP, name, intoStructure: &value, &length)
    if result.isFailure { throw SocketError(result, operation) }
    return value
  }

  /// Calls getsockopt(2) with an array that contains the input parameters and receives the result.
  func readSCTPOption<Number: FixedWidthInteger & BitwiseCopyable>(
    _ name: Int32, into numbers: inout [Number]
  ) -> IOResult {
    // The kernel reads and writes the elements only during the call, and at most `length` bytes.
    unsafe numbers.withUnsafeMutableBytes { memory in
      var length = UInt32(clamping: memory.count)
      return IOResult(raw: unsafe csk_getsockopt(value, CSK_IPPROTO_SCTP, name, memory.baseAddress, &length))
    }
  }

  func setSCTPOption<Value: BitwiseCopyable>(
    _ name: Int32, to value: Value, _ operation: SocketError.Operation = .setOption
  ) throws(SocketError) {
    let result = writeOption(CSK_IPPROTO_SCTP, name, value)
    if result.isFailure { throw SocketError(result, operation) }
  }

  func setSCTPOption(
    _ name: Int32, toBytes bytes: [UInt8], _ operation: SocketError.Operation = .setOption
  ) throws(SocketError) {
    let result = writeOption(CSK_IPPROTO_SCTP, name, bytes: bytes.span.integerBytes)
    if result.isFailure { throw SocketError(result, operation) }
  }
}

extension [UInt8] {
  /// Appends the bytes of an integer, or of a structure that consists of integers and has no padding.
  mutating func append(bytesOf value: some BitwiseCopyable) {
    // The bytes are copied while the value exists.
    unsafe Swift.withUnsafeBytes(of: value) { unsafe append(contentsOf: $0) }
  }
}

extension SCTPAssociationOption {
  /// Creates an option whose value the kernel reads and writes as a structure.
  /// - Parameters:
  ///   - question: returns the structure that is passed to the kernel. By default, only its association is set.
  ///   - encode: stores a value in that structure.
  init<Structure: AssociationStructure & BitwiseCopyable & Sendable>(
    _ name: Int32, question: @escaping @Sendable (SCTPAssociationID) -> Structure = { Structure(of: $0) },
    decode: @escaping @Sendable (Structure) throws(SocketError) -> Value,
    encode: @escaping @Sendable (Value, inout Structure) throws(SocketError) -> Void
  ) {
    self.init(
      read: { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
        try decode(try target.sctpOption(name, asking: question(association)))
      },
      write: { (target: RawDescriptor, association: SCTPAssociationID, value: Value) throws(SocketError) in
        var structure = question(association)
        try encode(value, &structure)
        try target.setSCTPOption(name, to: structure)
      })
  }
}

extension ReadOnlySCTPAssociationOption {
  /// Creates an option whose value the kernel returns as a structure.
  /// - Parameter question: returns the structure that is passed to the kernel. By default, only its association is set.
  init<Structure: AssociationStructure & BitwiseCopyable & Sendable>(
    _ name: Int32, question: @escaping @Sendable (SCTPAssociationID) -> Structure = { Structure(of: $0) },
    decode: @escaping @Sendable (Structure) -> Value
  ) {
    self.init { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
      decode(try target.sctpOption(name, asking: question(association)))
    }
  }
}

extension Duration {
  /// Returns the number of whole units, rounded up.
  ///
  /// The computation uses integers, because a floating-point quotient may be slightly too large. Rounding such a
  /// quotient up would add a unit.
  func units(of unit: Duration) -> Int128 {
    let (quotient, remainder) = attoseconds.quotientAndRemainder(dividingBy: unit.attoseconds)
    return remainder > 0 ? quotient + 1 : quotient
  }
}

/// Converts a time to the kernel's unit. The result is rounded up.
func units(_ time: Duration, of unit: Duration, upTo limit: UInt32) throws(SocketError) -> UInt32 {
  guard time >= .zero, let units = UInt32(exactly: time.units(of: unit)), units <= limit else {
    throw SocketError(code: .invalidArgument, .setOption)
  }
  return units
}

func milliseconds(_ time: Duration, upTo limit: UInt32 = .max) throws(SocketError) -> UInt32 {
  try units(time, of: .milliseconds(1), upTo: limit)
}

/// Copies an address into the kernel's sockaddr_storage.
func copy<Storage: BitwiseCopyable>(_ address: IPSocketAddress, into storage: inout Storage) {
  // An address has at most 28 bytes, and sockaddr_storage has 128.
  unsafe withUnsafeMutableBytes(of: &storage) { target in
    address.withBytes { bytes in unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) } }
  }
}

func address<Storage: BitwiseCopyable>(from storage: Storage) -> IPSocketAddress? {
  // The address is copied while the storage exists.
  unsafe withUnsafeBytes(of: storage) { unsafe IPSocketAddress(sockaddr: $0.bytes) }?.withoutNeedlessScope
}

extension IPSocketAddress {
  /// The address without a scope ID. A link-local address keeps its scope ID.
  ///
  /// In every address that arrived in a packet, the kernel sets the scope ID to the receiving interface, although only
  /// link-local addresses have a scope. Without the scope ID, the address is equal to the address that the other end
  /// uses.
  var withoutNeedlessScope: Self {
    guard scopeID != 0, case .v6(let address) = ip, address.high >> 54 != 0xfe80 >> 6 else { return self }
    return Self(address, port: port, flowLabel: flowLabel)
  }
}

extension RawSpan {
  /// A copy of the bytes.
  var array: [UInt8] { (0..<byteCount).map { integer(at: $0, as: UInt8.self) } }
}

/// Concatenates addresses of different lengths without padding, as bindx and connectx require.
func packed(_ addresses: [IPSocketAddress]) -> [UInt8] {
  var bytes: [UInt8] = []
  for address in addresses { address.withBytes { bytes += $0.array } }
  return bytes
}
