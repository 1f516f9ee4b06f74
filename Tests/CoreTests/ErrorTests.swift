import Glibc
import SocketKitCore
import TestSupport
import Testing

@Suite struct ErrorTests {
  @Test func textNamesOperationErrnoAndRemedy() {
    let error = SocketError(.failure(errno: ECONNREFUSED), .connect)
    #expect(error.code == .connectionRefused)
    #expect(
      error.description
        == "connect: connection refused (ECONNREFUSED, errno 111). "
        + "Nothing is listening at that address: start the server, or check the address."
    )
    let cold = error.with(address: "127.0.0.1:1", localAddress: "127.0.0.2:0")
    #expect(cold.description.hasPrefix("connect 127.0.0.1:1 from 127.0.0.2:0: connection refused"))
  }

  @Test func textCountsWhatWasMoved() {
    let error = SocketError(code: .timedOut, .write).after(transferring: 7)
    #expect(error.transferred == 7 && error.code == .timedOut)
    #expect(error.description == "write: timed out, after 7 bytes")
  }

  @Test func everyCodeHasItsWord() {
    for raw in UInt8(1)...38 { #expect(!SocketError.Code(rawValue: raw).description.hasPrefix("code ")) }
    #expect(SocketError.Code(rawValue: 200).description == "code 200")
  }

  @Test func aThirdPartyNamesItsOperationAndRemedy() {
    let error = SocketError(code: .init(rawValue: 130), .init("handshake"))
    #expect(error.description == "handshake: code 130")
    #expect(error.operation == SocketError.Operation("handshake") && error.operation != .connect)
    let known = error.with(explanation: "The certificate has expired. Renew it.")
    #expect(known.remedy == "The certificate has expired. Renew it." && known.code == error.code && known != error)
    #expect(known.description == "handshake: code 130. The certificate has expired. Renew it.")
  }

  @Test func theTextOfTheLatestErrorsIsKept() {
    let first = SocketError(code: .timedOut, .connect).with(address: "first", localAddress: "here")
    #expect(first.address == "first" && first.localAddress == "here" && first == first)
    #expect(first != SocketError(code: .timedOut, .connect) && first.with(address: "other") != first)
    #expect(first == SocketError(code: .timedOut, .connect).with(address: "first", localAddress: "here"))
    for number in 0..<1024 { #expect(first.with(address: "\(number)").address == "\(number)") }
    #expect(first.address == nil && first.code == .timedOut && first.description == "connect: timed out. " + usual)
  }
  private let usual = "The peer did not answer in time: check that it accepts connections, or use a later deadline."

  @Test func textsOfManyThreadsDoNotMix() {
    let threads = (0..<4).map { thread in
      spawn {
        for round in 0..<200 {
          let error = SocketError(code: .other, .parse).with(address: "\(thread) \(round)")
          #expect(error.address == "\(thread) \(round)")
        }
      }
    }
    for thread in threads { thread.join() }
  }

  @Test func attemptsAreListed() {
    let attempt = SocketError(.failure(errno: ENETUNREACH), .connect).with(address: "[::1]:1")
    let error = attempt.with(address: "host", attempts: [attempt])
    #expect(error.description.contains("\n  connect [::1]:1: unreachable (ENETUNREACH, errno 101)"))
  }

  @Test func aRemedyIsStatedOnce() throws {
    let refused = SocketError(.failure(errno: ECONNREFUSED), .connect).with(address: "127.0.0.1:1")
    let unreachable = SocketError(.failure(errno: ENETUNREACH), .connect).with(address: "[::1]:1")
    let error = refused.with(address: "host", attempts: [refused, unreachable])
    let remedy = try #require(refused.remedy)
    #expect(error.description.split(separator: remedy, omittingEmptySubsequences: false).count == 2)
    #expect(error.description.hasSuffix("\n  \(unreachable)"))
  }
}
