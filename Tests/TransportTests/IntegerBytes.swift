import SocketKit
import TestSupport

extension FixedWidthInteger where Self: BitwiseCopyable {
  /// The bytes in the machine's order.
  var rawBytes: [UInt8] {
    let numbers: InlineArray<1, Self> = [self]
    return numbers.span.integerBytes.array
  }
}

extension RawSpan {
  /// A copy of the bytes.
  var array: [UInt8] { [UInt8](copying: self) }
}

extension Span<UInt8> {
  /// A copy of the bytes.
  var array: [UInt8] { [UInt8](copying: self) }
}

extension [UInt8] {
  /// Reads an integer in the machine's byte order.
  func integer<I: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: I.Type) -> I {
    span.integerBytes.integer(at: offset, as: type)
  }

  /// Replaces bytes by those of an integer, in the machine's order.
  mutating func put<I: FixedWidthInteger & BitwiseCopyable>(_ number: I, at offset: Int) {
    replaceSubrange(offset..<offset + MemoryLayout<I>.size, with: number.rawBytes)
  }
}
