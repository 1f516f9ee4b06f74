public import SocketKitEpoll

/// The spin poller over epoll: the one for servers.
public typealias BusySpinPoller = SpinPoller<EpollPoller>
