/// A list of any number of buffers that one call writes in order (writev(2)), for example a header and a body.
///
/// ```swift
/// try socket.writeAll(gathering: GatherList(header.span, body.span), until: .after(.seconds(5)))
///
/// var list = GatherList(header.span)
/// list.append(contentsOf: chunks)  // [[UInt8]]
/// try socket.writeAll(gathering: list, until: .after(.seconds(5)))
/// ```
/// The list borrows the buffers and copies no bytes. The compiler rejects a change of a buffer while the list is in
/// use. A list of up to 8 buffers makes no allocation. The list omits empty buffers.
@frozen
public struct GatherList: ~Copyable, ~Escapable {
  @usableFromInline var segments = SegmentList()

  /// Creates an empty list.
  @inlinable
  @_lifetime(immortal)
  public init() {}

  /// Creates a list of up to four buffers. ``append(_:)`` adds more.
  @inlinable
  @_lifetime(copy first, copy second, copy third, copy fourth)
  public init(
    _ first: Span<UInt8>, _ second: Span<UInt8> = Span(), _ third: Span<UInt8> = Span(),
    _ fourth: Span<UInt8> = Span()
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
  @_lifetime(self: copy bytes)
  public mutating func append(_ bytes: Span<UInt8>) { segments.append(IOSegment(of: bytes)) }

  /// Adds any number of buffers at the end.
  @inlinable
  @_lifetime(self: borrow buffers)
  public mutating func append(contentsOf buffers: borrowing [[UInt8]]) {
    // The list borrows the outer array, so the inner arrays do not change while the list exists.
    for index in 0..<buffers.count {
      unsafe buffers[index].withUnsafeBytes { segments.append(unsafe IOSegment($0)) }
    }
  }
}
