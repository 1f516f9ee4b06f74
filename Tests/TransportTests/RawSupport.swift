import Glibc
import SocketKit
import TestSupport
import Testing

/// Says why a test could not run; where everything must be available that is a failure.
func unavailable(_ cause: String, _ location: SourceLocation = #_sourceLocation) {
  print("unavailable: \(cause)")
  #expect(!mustBeAvailable, "unavailable: \(cause)", sourceLocation: location)
}

/// Runs the body on a thread in a new network namespace with loopback up; says so when none can be made.
func inNamespaceWithLoopback(_ body: @escaping () throws -> Void) throws {
  let result = inNewNetworkNamespace { () -> (any Error)? in
    do {
      try raiseLoopback()
      try body()
      return nil
    } catch {
      return error
    }
  }
  switch result {
  case .none: unavailable("this process may make no network namespace")
  case .some(.some(let error)): throw error
  default: break
  }
}

/// Sets loopback up in the calling thread's namespace: RTM_NEWLINK of rtnetlink(7), through the generic socket.
func raiseLoopback() throws(SocketError) {
  let socket = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
    SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0))
  let header: [UInt32] = [32, 16 | 5 << 16, 1, 0]  // length; type, request and acknowledge; sequence; port
  let link: [UInt32] = [0, 1, 1, 1]  // family and type; the index of loopback; flags: up; which flags change
  let message = (header + link).flatMap(\.rawBytes)
  var kernel = [UInt8](repeating: 0, count: 12)
  kernel[0] = 16
  guard let address = AnySocketAddress(sockaddr: kernel.span.integerBytes) else { return }
  try socket.send(message.span, to: address, until: .after(.seconds(5)))
  var answer = [UInt8](repeating: 1, count: 256)
  var info = MessageInfo()
  let count = try socket.receive(into: answer.mutableSpan, &info, until: .after(.seconds(5)))
  #expect(count >= 20 && answer[16..<20].allSatisfy { $0 == 0 }, "loopback does not come up")
}

/// Takes every capability from the calling thread, which had better end soon.
func dropCapabilities() {
  var header: [UInt32] = [0x2008_0522, 0]
  var none: [UInt32] = [0, 0, 0, 0, 0, 0]
  // The kernel reads the two structures during the call.
  let result = unsafe capset(&header, &none)
  #expect(result == 0)
}

@_silgen_name("capset") private func capset(_ header: UnsafeMutableRawPointer, _ data: UnsafeMutableRawPointer) -> Int32

func writeFile(_ path: String, _ text: String) -> Bool {
  let file = CLibrary.open(path, O_WRONLY | O_CLOEXEC)
  guard file >= 0 else { return false }
  defer { close(file) }
  return CLibrary.write(file, Array(text.utf8)) == text.utf8.count
}

/// The text of a file, also of one of proc(5), which gives many records in several reads.
func text(of path: String) throws -> String {
  String(decoding: try #require(contents(ofFile: path), "\(path): errno \(errno)"), as: UTF8.self)
}

/// The error that the body threw.
func failure<E: Error>(_ type: E.Type = E.self, _ body: () throws(E) -> Void) -> E? {
  do throws(E) {
    try body()
    return nil
  } catch {
    return error
  }
}
