internal import SocketKit

/// The transports that the command line can name, including those that cannot be measured on this machine.
enum TransportChoice: String, CaseIterable, Sendable {
  case tcp, udp, unix, vsock, sctp

  /// Returns the reason why the transport cannot be measured, or nil if it can be measured.
  func unavailable(for load: LoadChoice) -> String? {
    switch self {
    case .udp:
      load == .pingpong || load == .udpEcho ? nil : "udp has no connections; use pingpong or udp-echo"
    case _ where load == .udpEcho: "udp-echo uses udp only"
    case .tcp, .unix: nil
    case .vsock: VsockStreamSocket.lack
    case .sctp: Self.missingSCTP
    }
  }
}

extension TransportChoice {
  /// The reason why this kernel cannot create SCTP sockets, or nil if it can create them.
  private static let missingSCTP: String? = {
    do throws(SocketError) {
      _ = try SCTPSocket.open(for: .loopback(port: 0))
      return nil
    } catch {
      return error.code == .protocolNotSupported ? "this kernel does not provide sctp; run modprobe sctp" : "\(error)"
    }
  }()
}

enum PollerChoice: String, CaseIterable, Sendable {
  case epoll, poll, spin
  case uring = "io_uring"

  /// The reason why the poller cannot be measured, or nil if it can be measured.
  var unavailable: String? {
    switch self {
    case .epoll, .poll, .spin: nil
    case .uring: "not implemented in this tool"
    }
  }
}

/// The implementation of the server.
enum ServerKind: String, CaseIterable, Sendable {
  case swift
  case c
}

/// A task for one stream transport and one poller. The task is generic, so that the compiler specializes the code for
/// every pair.
protocol CompositionTask {
  associatedtype Outcome: Sendable
  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Outcome
}

extension CompositionTask {
  /// Runs the task with the types of a transport and a poller. Only this method maps names to types. Traps if the
  /// transport or the poller is unavailable.
  func run(over transport: TransportChoice, with poller: PollerChoice) throws -> Outcome {
    switch transport {
    case .tcp: try run(TCPSocket.self, with: poller)
    case .unix: try run(UnixStreamSocket.self, with: poller)
    case .sctp: try run(SCTPSocket.self, with: poller)
    case .vsock: try run(VsockStreamSocket.self, with: poller)
    case .udp: preconditionFailure("the transport is unavailable")
    }
  }

  private func run<S: BenchTransport & ~Copyable>(_: S.Type, with poller: PollerChoice) throws -> Outcome {
    switch poller {
    case .epoll: try run(S.self, EpollPoller.self)
    case .poll: try run(S.self, PollPoller.self)
    case .spin: try run(S.self, BusySpinPoller.self)
    case .uring: preconditionFailure("the poller is unavailable")
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
    case .uring: preconditionFailure("the poller is unavailable")
    }
  }
}
