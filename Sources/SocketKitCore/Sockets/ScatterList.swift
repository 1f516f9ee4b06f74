/// A list of any number of buffers that one call fills in order (readv(2)), for example a header of fixed length and a
/// body.
///
/// ```swift
/// let list = ScatterList(header.mutableSpan, body.mutableSpan)
/// let outcome = try socket.read(scattering: list, until: .after(.seconds(5)))
/// ```
/// The list borrows the buffers. The buffers are accessible again after the last use of the list. A list of up to 8
/// buffers makes no allocation. The list omits empty buffers.
@frozen
public struct ScatterList: ~Copyable, ~Escapable {
  @usableFromInline var segments = SegmentList()

  /// Creates an empty list.
  @inlinable
  @_lifetime(immortal)
  public init() {}

  /// Creates a list of up to four buffers. ``append(_:)`` adds more.
  @inlinable
  @_lifetime(copy first, copy second, copy third, copy fourth)
  public init(
    _ first: consuming MutableSpan<UInt8>, _ second: consuming MutableSpan<UInt8> = MutableSpan(),
    _ third: consuming MutableSpan<UInt8> = MutableSpan(), _ fourth: consuming MutableSpan<UInt8> = MutableSpan()
  ) {
    segments.append(IOSegment(of: first))
    segments.append(IOSegment(of: second))
    segments.append(IOSegment(of: third))
    segments.append(IOSegment(of: fourth))
  }

  /// The total number of bytes in all buffers.
  @inlinable public var byteCount: Int { segments.byteCount }

  /// Adds a buffer at the end.
  @inlinable
  @_lifetime(self: copy buffer)
  public mutating func append(_ buffer: consuming MutableSpan<UInt8>) { segments.append(IOSegment(of: buffer)) }

  /// Adds any number of buffers at the end.
  @inlinable
  @_lifetime(self: &buffers)
  public mutating func append(contentsOf buffers: inout [[UInt8]]) {
    // Each access makes the inner array the only owner of its memory. The memory then stays in place, because the list
    // has exclusive access to the outer array.
    for index in 0..<buffers.count {
      unsafe buffers[index].withUnsafeMutableBytes { segments.append(unsafe IOSegment($0)) }
    }
  }
}
