/// An address that the kernel understands.
///
/// The family belongs to the value, not to the type, so that one type may hold IPv4 and IPv6, or anything
/// (``AnySocketAddress``). A third party's address is the same kind of thing as ours.
public protocol SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// The family of this value.
  var family: AddressFamily { get }

  /// Gives `body` the exact bytes for the kernel: the sockaddr structure of the family, in its true length, at most 128
  /// bytes.
  ///
  /// A closure, because the bytes may be the value's own memory: nothing is copied then.
  borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R

  /// The address that the kernel wrote, or nil when the bytes are none of this type: another family, or a wrong length.
  init?(sockaddr: RawSpan)
}

extension SocketAddress {
  /// The same address, checked to be one of this type; nil when it is not.
  public init?(_ address: AnySocketAddress) {
    guard let value = address.withBytes({ Self(sockaddr: $0) }) else { return nil }
    self = value
  }
}
