import SocketKitCore
import Testing

@Suite struct ErrorTests {
  @Test func textNamesOperationErrnoAndRemedy() {
    let error = SocketError(.failure(errno: 111), .connect)
    #expect(error.code == .connectionRefused)
    #expect(
      error.description
        == "connect: connection refused (ECONNREFUSED, errno 111). "
        + "Nothing is listening at that address: start the server, or check the address."
    )
    let cold = EndpointError(error, address: "127.0.0.1:1", localAddress: "127.0.0.2:0")
    #expect(cold.description.hasPrefix("connect 127.0.0.1:1 from 127.0.0.2:0: connection refused"))
  }

  @Test func textCountsWhatWasMoved() {
    let error = SocketError(code: .timedOut, .write).after(transferring: 7)
    #expect(error.transferred == 7 && error.code == .timedOut)
    #expect(error.description == "write: timed out, after 7 bytes")
  }

  @Test func everyCodeAndOperationHasItsWord() {
    for raw in UInt8(1)...38 { #expect(!SocketError.Code(rawValue: raw).description.hasPrefix("code ")) }
    for raw in UInt8(1)...34 { #expect(!SocketError.Operation(rawValue: raw).description.hasPrefix("operation ")) }
    #expect(SocketError.Code(rawValue: 200).description == "code 200")
  }

  @Test func aThirdPartysCodeKeepsItsNumber() {
    let error = SocketError(code: .init(rawValue: 130), .init(rawValue: 140))
    #expect(error.description == "operation 140: code 130")
  }

  @Test func attemptsAreListed() {
    let attempt = EndpointError(SocketError(.failure(errno: 101), .connect), address: "[::1]:1")
    let error = EndpointError(attempt.reason, address: "host", attempts: [attempt])
    #expect(error.description.contains("\n  connect [::1]:1: unreachable (ENETUNREACH, errno 101)"))
  }
}
