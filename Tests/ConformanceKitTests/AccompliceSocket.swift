import Glibc
import SocketKit
import Synchronization
import TestSupport

/// TCP whose accepted sockets know their listener, by its descriptor's number, and harm it.
struct AccompliceSocket<Fault: AcceptFault>: ~Copyable, Acceptable {
  let base: TCPSocket

  init(accepted descriptor: consuming Descriptor, context: borrowing Int32) {
    base = TCPSocket(owning: descriptor)
    Fault.accepted(base.descriptor.value, by: copy context)
  }
  init(_ base: consuming TCPSocket) { self.base = base }

  static var capabilities: SocketCapabilities { TCPSocket.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> IPSocketAddress { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> IPSocketAddress { try base.remoteAddress() }
}

protocol AcceptFault: Sendable {
  static func accepted(_ socket: Int32, by listener: Int32)
}

enum NoAcceptFault: AcceptFault {
  static func accepted(_ socket: Int32, by listener: Int32) {}
}

/// Gives up listening when a connection is gone before it was accepted.
enum StopsAfterAReset: AcceptFault {
  static func accepted(_ socket: Int32, by listener: Int32) {
    var error: Int32 = 0
    var length = 0
    _ = RawDescriptor(socket).readOption(SOL_SOCKET, SO_ERROR, into: &error, &length)
    if error != 0 { Glibc.shutdown(listener, Int32(SHUT_RDWR)) }
  }
}

/// Takes another connection with every fourth one, and drops it.
enum StealsConnections: AcceptFault {
  private static let count = Atomic<Int>(0)
  static func accepted(_ socket: Int32, by listener: Int32) {
    guard count.add(1, ordering: .relaxed).newValue % 4 == 0 else { return }
    polledEvents(listener, for: POLLIN, milliseconds: 100)
    let stolen = accept(listener, nil, nil)
    if stolen >= 0 { close(stolen) }
  }
}
