internal import SocketKit

/// The transports that the bench knows by name, including those that this tool cannot measure.
enum TransportChoice: String, CaseIterable, Sendable {
  case tcp, udp, unix, vsock, sctp

  /// Returns why the transport cannot be measured, or nil when it can.
  func unavailable(for load: LoadChoice) -> String? {
    switch self {
    case .udp:
      load == .pingpong || load == .udpEcho ? nil : "it has no connections; see pingpong and udp-echo"
    case _ where load == .udpEcho: "udp-echo is over udp"
    case .tcp, .unix: nil
    case .vsock: VsockStreamSocket.lack
    case .sctp: Self.missingSCTP
    }
  }
}

extension TransportChoice {
  /// Why this kernel cannot create SCTP sockets, or nil if it can.
  private static let missingSCTP: String? = {
    do throws(SocketError) {
      _ = try SCTPSocket.open(for: .loopback(port: 0))
      return nil
    } catch {
      return error.code == .protocolNotSupported ? "this kernel has none (modprobe sctp)" : "\(error)"
    }
  }()
}

enum PollerChoice: String, CaseIterable, Sendable {
  case epoll, poll, spin
  case uring = "io_uring"

  /// Why the poller cannot be measured, or nil when it can.
  var unavailable: String? {
    switch self {
    case .epoll, .poll, .spin: nil
    case .uring: "not built into this tool yet"
    }
  }
}

/// The implementation of the server.
enum ServerKind: String, CaseIterable, Sendable {
  case swift
  case c
}

/// A task for one stream transport and one poller. It is generic, so that the compiler specializes the code for every
/// pair.
protocol CompositionTask {
  associatedtype Outcome: Sendable
  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Outcome
}

extension CompositionTask {
  /// Runs the task with the types of a transport and a poller. Only this method maps names to types; call it only for
  /// available ones.
  func run(over transport: TransportChoice, with poller: PollerChoice) throws -> Outcome {
    switch transport {
    case .tcp: try run(TCPSocket.self, with: poller)
    case .unix: try run(UnixStreamSocket.self, with: poller)
    case .sctp: try run(SCTPSocket.self, with: poller)
    case .vsock: try run(VsockStreamSocket.self, with: poller)
    case .udp: preconditionFailure("asked for an unavailable transport")
    }
  }

  private func run<S: BenchTransport & ~Copyable>(_: S.Type, with poller: PollerChoice) throws -> Outcome {
    switch poller {
    case .epoll: try run(S.self, EpollPoller.self)
    case .poll: try run(S.self, PollPoller.self)
    case .spin: try run(S.self, BusySpinPoller.self)
    case .uring: preconditionFailure("asked for an unavailable poller")
    }
  }
}

/// A task for one datagram transport and one poller.
protocol DatagramTask {
  associatedtype Outcome: Sendable
  func run<S: BenchDatagrams & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Outcome
}

extension DatagramTask {
  func run(with poller: PollerChoice) throws -> Outcome {
    switch poller {
    case .epoll: try run(UDPSocket.self, EpollPoller.self)
    case .poll: try run(UDPSocket.self, PollPoller.self)
    case .spin: try run(UDPSocket.self, BusySpinPoller.self)
    case .uring: preconditionFailure("asked for an unavailable poller")
    }
  }
}
