import MultipathTCP
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitSCTP
import SocketKitTCP
import SocketKitUnix

/// Runs the 60 compositions, without SCTP's where the kernel has none; how many failed.
func runAll() -> Int {
  var failed = 0
  failed += CompositionRun(roots: tcp_epoll()).all()
  failed += CompositionRun(roots: tcp_poll()).all()
  failed += CompositionRun(roots: tcp_spin()).all()
  failed += CompositionRun(roots: unix_epoll()).all()
  failed += CompositionRun(roots: unix_poll()).all()
  failed += CompositionRun(roots: unix_spin()).all()
  failed += CompositionRun(roots: mptcp_epoll()).all()
  failed += CompositionRun(roots: mptcp_poll()).all()
  failed += CompositionRun(roots: mptcp_spin()).all()
  if let cause = sctpUnavailable() {
    print("unavailable: the 15 compositions over sctp: \(cause)")
  } else {
    failed += CompositionRun(roots: sctp_epoll()).all()
    failed += CompositionRun(roots: sctp_poll()).all()
    failed += CompositionRun(roots: sctp_spin()).all()
  }
  return failed
}

/// Why SCTP cannot be run here; nil when it can.
private func sctpUnavailable() -> String? {
  do throws(SocketError) {
    _ = try SCTPSocket.open(for: SCTPSocket.place())
    return nil
  } catch {
    return "\(error)"
  }
}

private func tcp_epoll() -> Roots<TCPSocket, EpollPoller> {
  Roots(
    "tcp epoll", hot_readWrite_tcp_epoll, hot_catching_tcp_epoll, hot_accept_tcp_epoll, hot_server_tcp_epoll,
    hot_wrapper_tcp_epoll)
}

private func tcp_poll() -> Roots<TCPSocket, PollPoller> {
  Roots(
    "tcp poll", hot_readWrite_tcp_poll, hot_catching_tcp_poll, hot_accept_tcp_poll, hot_server_tcp_poll,
    hot_wrapper_tcp_poll)
}

private func tcp_spin() -> Roots<TCPSocket, BusySpinPoller> {
  Roots(
    "tcp spin", hot_readWrite_tcp_spin, hot_catching_tcp_spin, hot_accept_tcp_spin, hot_server_tcp_spin,
    hot_wrapper_tcp_spin)
}

private func unix_epoll() -> Roots<UnixStreamSocket, EpollPoller> {
  Roots(
    "unix epoll", hot_readWrite_unix_epoll, hot_catching_unix_epoll, hot_accept_unix_epoll, hot_server_unix_epoll,
    hot_wrapper_unix_epoll)
}

private func unix_poll() -> Roots<UnixStreamSocket, PollPoller> {
  Roots(
    "unix poll", hot_readWrite_unix_poll, hot_catching_unix_poll, hot_accept_unix_poll, hot_server_unix_poll,
    hot_wrapper_unix_poll)
}

private func unix_spin() -> Roots<UnixStreamSocket, BusySpinPoller> {
  Roots(
    "unix spin", hot_readWrite_unix_spin, hot_catching_unix_spin, hot_accept_unix_spin, hot_server_unix_spin,
    hot_wrapper_unix_spin)
}

private func mptcp_epoll() -> Roots<MultipathTCPSocket, EpollPoller> {
  Roots(
    "mptcp epoll", hot_readWrite_mptcp_epoll, hot_catching_mptcp_epoll, hot_accept_mptcp_epoll, hot_server_mptcp_epoll,
    hot_wrapper_mptcp_epoll)
}

private func mptcp_poll() -> Roots<MultipathTCPSocket, PollPoller> {
  Roots(
    "mptcp poll", hot_readWrite_mptcp_poll, hot_catching_mptcp_poll, hot_accept_mptcp_poll, hot_server_mptcp_poll,
    hot_wrapper_mptcp_poll)
}

private func mptcp_spin() -> Roots<MultipathTCPSocket, BusySpinPoller> {
  Roots(
    "mptcp spin", hot_readWrite_mptcp_spin, hot_catching_mptcp_spin, hot_accept_mptcp_spin, hot_server_mptcp_spin,
    hot_wrapper_mptcp_spin)
}

private func sctp_epoll() -> Roots<SCTPSocket, EpollPoller> {
  Roots(
    "sctp epoll", hot_readWrite_sctp_epoll, hot_catching_sctp_epoll, hot_accept_sctp_epoll, hot_server_sctp_epoll,
    hot_wrapper_sctp_epoll)
}

private func sctp_poll() -> Roots<SCTPSocket, PollPoller> {
  Roots(
    "sctp poll", hot_readWrite_sctp_poll, hot_catching_sctp_poll, hot_accept_sctp_poll, hot_server_sctp_poll,
    hot_wrapper_sctp_poll)
}

private func sctp_spin() -> Roots<SCTPSocket, BusySpinPoller> {
  Roots(
    "sctp spin", hot_readWrite_sctp_spin, hot_catching_sctp_spin, hot_accept_sctp_spin, hot_server_sctp_spin,
    hot_wrapper_sctp_spin)
}
