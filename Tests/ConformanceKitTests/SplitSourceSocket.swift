import Glibc
import SocketKit
import TestSupport

/// A Unix stream that is watched for writing on a descriptor of its own, as a stream over two pipes is.
struct SplitSourceSocket: ~Copyable, StreamSocket {
  typealias Address = UnixAddress
  let base: UnixStreamSocket
  let copy: Descriptor

  init(_ base: consuming UnixStreamSocket) {
    let number = fcntl(base.descriptor.value, F_DUPFD_CLOEXEC, 0)
    precondition(number >= 0, "no descriptor is free")
    copy = owning(number)
    self.base = base
  }

  static var capabilities: SocketCapabilities { UnixStreamSocket.capabilities }
  var readSource: RawDescriptor { base.descriptor }
  var writeSource: RawDescriptor { copy.raw }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult {
    let result = copy.attemptClose()
    return result.isFailure ? result : base.attemptClose()
  }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> UnixAddress { try base.remoteAddress() }
  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    base.attemptReceive(into: &buffer)
  }
  borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult { base.attemptSend(bytes) }

  static func pair() throws -> SocketPair<SplitSourceSocket> {
    try UnixStreamSocket.pair().split { SocketPair(Self($0), Self($1)) }
  }
}
