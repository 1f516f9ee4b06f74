extension [UInt8] {
  /// A copy of the bytes.
  public init(copying bytes: RawSpan) {
    // The bytes are copied during the call.
    self = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
  }

  /// A copy of the bytes.
  public init(copying bytes: Span<UInt8>) {
    // The bytes are copied during the call.
    self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
  }
}
