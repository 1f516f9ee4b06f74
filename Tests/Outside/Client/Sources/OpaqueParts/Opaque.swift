public import SocketKitCore

// What another module must not do to the hot path. Each is reported in MustFail by the root that uses it.

/// Neither inlinable nor specialized: the caller passes type metadata and witness tables.
public func opaqueRead<S: StreamSocket & ~Copyable>(_ socket: borrowing S) -> Int {
  var byte = InlineArray<1, UInt8>(repeating: 0)
  var span = byte.mutableSpan
  return socket.attemptReceive(into: &span).raw
}

/// Says how many; may throw.
public protocol ThrowingSource {
  func wait(_ minimum: Int32) throws(SocketError) -> Int
}

/// Its witness is inlinable and throws: the optimizer keeps the call to it a witness call.
@frozen
public struct ThrowingCounter: ThrowingSource {
  @usableFromInline let count: Int32
  @inlinable
  public init(_ count: Int32) { self.count = count }
  @inlinable
  public func wait(_ minimum: Int32) throws(SocketError) -> Int {
    if count >= minimum { return Int(count) }
    throw SocketError(code: .timedOut, .wait)
  }
}

/// The cure: the same, but the witness returns a result, and only the function around it throws.
public protocol ResultSource {
  func attemptWait(_ minimum: Int32) -> IOResult
}

@frozen
public struct ResultCounter: ResultSource {
  @usableFromInline let count: Int32
  @inlinable
  public init(_ count: Int32) { self.count = count }
  @inlinable
  public func attemptWait(_ minimum: Int32) -> IOResult {
    count >= minimum ? IOResult(raw: Int(count)) : .wouldBlock
  }
}

/// A class, for references to count.
public final class Box {
  public init() {}
}

/// Keeps a value where the optimizer cannot see it.
@inline(never)
public func consume<T>(_ value: T) {}

/// Changes a number where the optimizer cannot see it.
@inline(never)
public func change(_ value: inout Int) { value &+= 1 }
