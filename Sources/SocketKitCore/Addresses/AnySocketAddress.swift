/// An address of any family: up to 128 bytes as the kernel wrote them, and the number of these bytes.
///
/// A value of this type stores the bytes inline and allocates no memory. System calls write addresses into such values.
/// Two values are equal if their bytes are equal.
@frozen
public struct AnySocketAddress: SocketAddress, BitwiseCopyable {
  @usableFromInline var storage: InlineArray<16, UInt64>
  @usableFromInline var length: UInt32

  /// The length in bytes of the longest address that the kernel writes (sockaddr_storage).
  @inlinable public static var maximumLength: Int { 128 }

  /// Makes an address without bytes.
  @inlinable
  public init() {
    storage = InlineArray(repeating: 0)
    length = 0
  }

  /// Copies another address.
  @inlinable
  public init(_ address: borrowing some SocketAddress) {
    self = address.withBytes { AnySocketAddress(copying: $0) }
  }

  /// Copies 0 to 128 bytes of any content. Returns nil for more than 128 bytes.
  @inlinable
  public init?(sockaddr: RawSpan) {
    guard sockaddr.byteCount <= Self.maximumLength else { return nil }
    self.init(copying: sockaddr)
  }

  @inlinable
  init(copying bytes: RawSpan) {
    self.init()
    let count = bytes.byteCount < Self.maximumLength ? bytes.byteCount : Self.maximumLength
    // `count` is at most the length of `bytes` and the size of `storage`, and every bit pattern is a valid integer.
    unsafe withUnsafeMutableBytes(of: &storage) { target in
      unsafe bytes.withUnsafeBytes {
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0.prefix(count)))
      }
    }
    length = UInt32(truncatingIfNeeded: count)
  }

  /// The family in the first two bytes, or `.unspecified` if the address has fewer than two bytes.
  @inlinable public var family: AddressFamily {
    length < 2
      ? .unspecified : AddressFamily(rawValue: Int32(UInt16(truncatingIfNeeded: UInt64(littleEndian: storage[0]))))
  }

  @inlinable
  public borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    body(storage.span.integerBytes.extracting(first: Int(length)))
  }

  /// Passes the bytes to `body` without making a copy, unlike ``withBytes(_:)``.
  @inlinable @inline(__always)
  mutating func withOwnBytes<R>(_ body: (RawSpan) -> R) -> R {
    let count = Int(length)
    // `length` is at most 128, the size of `storage`, and the compiler does not let the span escape from the body.
    return unsafe withUnsafeMutableBytes(of: &storage) {
      unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: $0.baseAddress, count: count)))
    }
  }

  /// Passes the memory of this value to a system call that writes an address.
  ///
  /// `body` receives 128 writable bytes and, in `length`, their number. `body` must store in `length` the length that
  /// the kernel reported. If this length is more than 128, the length of the address is 128. If the kernel reported 111
  /// for a Unix path of 108 bytes, the length of the address is 110, the maximum that the kernel accepts.
  @inlinable
  public mutating func fill<R>(_ body: (_ bytes: UnsafeMutableRawPointer, _ length: inout UInt32) -> R) -> R {
    var reported = UInt32(truncatingIfNeeded: Self.maximumLength)
    // `storage` is not empty, so its address is not nil. The body receives its size.
    let result = unsafe withUnsafeMutableBytes(of: &storage) {
      unsafe body($0.baseAddress.unsafelyUnwrapped, &reported)
    }
    length = reported <= 110 ? reported : Self.usable(reported)
    return result
  }

  /// Returns the length to use if the kernel reported a length of more than 110 bytes. For a Unix path of 108 bytes,
  /// the kernel reports 111, because it counts a terminating zero for which the address has no space
  /// (net/unix/af_unix.c, unix_mkname_bsd). No other address is 111 bytes long.
  @usableFromInline
  static func usable(_ reported: UInt32) -> UInt32 { reported == 111 ? 110 : min(reported, 128) }
}

extension AnySocketAddress: Hashable {
  public static func == (a: AnySocketAddress, b: AnySocketAddress) -> Bool {
    a.length == b.length && a.withBytes { left in b.withBytes { right in sameBytes(left, right) } }
  }
  public func hash(into hasher: inout Hasher) {
    // The hasher reads the bytes only during the call.
    withBytes { unsafe $0.withUnsafeBytes { unsafe hasher.combine(bytes: $0) } }
  }
}

extension AnySocketAddress: CustomStringConvertible {
  /// The text of an IP or Unix address, or the family and the bytes in hexadecimal for other addresses.
  public var description: String {
    if let text = ipText { return text }
    if length == 0 { return "no address" }
    if let text = unixText { return text }
    let digits = Array("0123456789abcdef")
    let hex = withBytes { bytes in
      (min(2, bytes.byteCount)..<bytes.byteCount).map { index in
        let byte = bytes.integer(at: index, as: UInt8.self)
        return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
      }.joined()
    }
    return "\(family):\(hex)"
  }
}

@usableFromInline
func sameBytes(_ a: RawSpan, _ b: RawSpan) -> Bool {
  guard a.byteCount == b.byteCount else { return false }
  // The comparison reads the bytes only during the call.
  return unsafe a.withUnsafeBytes { left in unsafe b.withUnsafeBytes { right in unsafe left.elementsEqual(right) } }
}
