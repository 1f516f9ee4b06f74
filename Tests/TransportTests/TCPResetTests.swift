import Glibc
import SocketKit
import TestSupport
import Testing

/// Connecting to a peer that resets the connection at once: it connects, or it fails with `.connectionReset`. It failed
/// with `.notConnected` when the reset came between two questions to the kernel.
@Suite(.exclusive) struct TCPResetTests {
  /// Accepts and resets until it is told to stop.
  private func resetting(_ body: (IPSocketAddress) throws -> Void) throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    let number = listener.descriptor.value
    let server = spawn {
      let reset = linger(l_onoff: 1, l_linger: 0)
      while polledEvents(number, for: POLLIN, milliseconds: -1) != nil {
        let peer = accept(number, nil, nil)
        if peer < 0 {
          // The listener was shut down.
          if errno == EINVAL { return }
          continue
        }
        _ = RawDescriptor(peer).writeOption(SOL_SOCKET, SO_LINGER, reset)
        close(peer)
      }
    }
    defer {
      shutdown(number, Int32(SHUT_RDWR))
      server.join()
      _ = listener.descriptor
    }
    try body(address)
  }

  private func outcome(_ body: () throws(SocketError) -> Void) -> String {
    do throws(SocketError) {
      try body()
      return "connected"
    } catch {
      return error.code == .connectionReset && error.operation == .connect ? "reset" : "\(error)"
    }
  }

  @Test func waitingConnects() throws {
    try resetting { address in
      var outcomes: [String: Int] = [:]
      for _ in 0..<4000 {
        outcomes[
          outcome { () throws(SocketError) in
            _ = try TCPSocket.connect(to: address, until: .after(.seconds(20)))
          }, default: 0] += 1
      }
      #expect(Set(outcomes.keys).isSubset(of: ["connected", "reset"]), "\(outcomes)")
    }
  }

  /// A pending connection that is finished returns a socket, or reports that it was reset.
  @Test func pendingConnects() throws {
    try resetting { address in
      var outcomes: [String: Int] = [:]
      for _ in 0..<4000 {
        outcomes[
          outcome { () throws(SocketError) in
            let pending = try TCPSocket.startConnecting(to: address)
            while try !pending.isFinished() { sched_yield() }
            _ = try pending.finish()
          }, default: 0] += 1
      }
      #expect(Set(outcomes.keys).isSubset(of: ["connected", "reset"]), "\(outcomes)")
    }
  }

  /// The same with the reset at the worst moment every time: the peer resets while the transport checks the connection.
  @Test func aResetBeforeTheLastLookIsReported() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    LateSocket.listener.withLock { $0 = listener.descriptor.value }
    defer { LateSocket.listener.withLock { $0 = -1 } }
    let expected = SocketError(.failure(errno: ECONNRESET), .connect).with(address: address.description)
    #expect(throws: expected) { _ = try LateSocket.connect(to: address, until: .after(.seconds(20))) }
    let pending = try LateSocket.startConnecting(to: address)
    while try !pending.isFinished() { sched_yield() }
    do throws(SocketError) {
      _ = try pending.finish()
      Issue.record("connected")
    } catch {
      #expect(error == expected)
    }
    let other = try LateSocket.startConnecting(to: address)
    do throws(SocketError) {
      _ = try other.finish(until: .after(.seconds(20)))
      Issue.record("connected")
    } catch {
      #expect(error == expected)
    }
  }

  /// The kernel reports a failure once. A caller that asks again gets an error at once, without a busy loop.
  @Test func aFailedConnectIsNotWaitedForAgain() throws {
    let port = try TCPSocket.listen(on: .loopback(port: 0)).localAddress().port
    let pending = try TCPSocket.startConnecting(to: .loopback(port: port))
    var code: SocketError.Code?
    while code == nil {
      do throws(SocketError) { _ = try pending.isFinished() } catch { code = error.code }
    }
    #expect(code == .connectionRefused)
    let (before, began) = (threadCPUTime(), milliseconds())
    do throws(SocketError) {
      _ = try pending.finish(until: .after(.seconds(10)))
      Issue.record("connected")
    } catch {
      #expect(error.code == .notConnected)
    }
    #expect(threadCPUTime() - before < 100 && milliseconds() - began < 5000)
  }
}

/// TCP whose peer resets while the library checks the new connection.
private struct LateSocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  typealias Options = TCPSocketOptions
  typealias Address = IPSocketAddress
  static let listener = Guarded<Int32>(-1)
  private let owned: Descriptor

  init(owning descriptor: consuming Descriptor) { owned = descriptor }

  var descriptor: RawDescriptor { owned.raw }
  consuming func releaseDescriptor() -> Descriptor { owned }

  static var capabilities: SocketCapabilities { .halfClose }
  static var kinds: [SocketKind] { TCPSocket.kinds }

  borrowing func configure(at step: SetupStep<IPSocketAddress>) throws(SocketError) {
    guard case .connected = step else { return }
    let peer = accept(Self.listener.withLock { $0 }, nil, nil)
    _ = RawDescriptor(peer).writeOption(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
    Glibc.close(peer)
    #expect((polledEvents(descriptor.value, milliseconds: 10_000) ?? 0) != 0)
    _ = try remoteAddress()
  }
}
