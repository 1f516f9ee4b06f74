internal import SocketKit

/// The transports that the bench knows by name, with or without a loop for them in this tool.
enum TransportChoice: String, CaseIterable, Sendable {
  case tcp, udp, unix, vsock, sctp

  /// Why it cannot be measured; nil when it can.
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
  /// Why this kernel makes no SCTP sockets; nil when it does.
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

  /// Why it cannot be measured; nil when it can.
  var unavailable: String? {
    switch self {
    case .epoll, .poll, .spin: nil
    case .uring: "not built into this tool yet"
    }
  }
}

/// Whose server answers.
enum ServerKind: String, CaseIterable, Sendable {
  case swift
  case c
}

/// Something that is done over one stream transport with one poller: generic, so that every pair is specialized code.
protocol CompositionTask {
  associatedtype Outcome: Sendable
  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Outcome
}

extension CompositionTask {
  /// The one place where names become types. Call it only with what is available.
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

/// The same over a datagram transport.
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
