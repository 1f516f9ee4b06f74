// Access to the bytes of integers. The standard library marks these operations as unsafe, because their element type
// may have padding bytes or invalid values. Integers have neither, and the spans check every offset. Therefore, the
// operations are safe for integers.

extension RawSpan {
  /// Returns the integer at an offset in bytes. The offset need not be aligned. Traps if the integer is not within the
  /// span.
  @inlinable @inline(__always)
  public func integer<I: FixedWidthInteger & BitwiseCopyable>(at offset: Int = 0, as type: I.Type) -> I {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type)
  }
}

extension Span where Element: FixedWidthInteger & BitwiseCopyable {
  /// The bytes of the integers.
  @inlinable public var integerBytes: RawSpan {
    @inline(__always) @_lifetime(copy self)
    get { unsafe bytes }
  }
}

extension MutableSpan where Element: FixedWidthInteger & BitwiseCopyable {
  /// The bytes of the integers. Every value that is written to them is valid.
  @inlinable public var mutableIntegerBytes: MutableRawSpan {
    @inline(__always) @_lifetime(&self)
    mutating get { unsafe mutableBytes }
  }
}
