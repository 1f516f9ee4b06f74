import SocketKit
import TestSupport

/// TCP that claims to be a kernel socket although it changes the bytes: both ends do, so the methods alone agree.
struct MaskedKernelSocket: ~Copyable, StreamSocket, KernelSocket {
  typealias Address = IPSocketAddress
  typealias Options = TCPSocketOptions
  let base: TCPSocket

  static var capabilities: SocketCapabilities { TCPSocket.capabilities }
  var descriptor: RawDescriptor { base.descriptor }
  consuming func releaseDescriptor() -> Descriptor { base.releaseDescriptor() }

  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    let result = base.attemptReceive(into: &buffer)
    for index in 0..<max(0, result.raw) { buffer[index] ^= 0x55 }
    return result
  }

  borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult {
    let masked = [UInt8](copying: bytes).map { $0 ^ 0x55 }
    return base.attemptSend(masked.span)
  }

  static func pair() throws -> SocketPair<MaskedKernelSocket> {
    try TCPSocket.pair(until: .after(.seconds(5))).split { SocketPair(Self(base: $0), Self(base: $1)) }
  }
}
