public import SocketKitEpoll

/// A spin poller over epoll, for servers.
public typealias BusySpinPoller = SpinPoller<EpollPoller>
