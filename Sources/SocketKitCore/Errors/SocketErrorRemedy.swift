extension SocketError {
  /// What a person can do about it, where that is known.
  public var remedy: String? {
    switch code {
    case .closed:
      switch operation {
      case .deregister, .modify: return "The descriptor was closed while it was registered: deregister before closing."
      case .passDescriptors: return "A descriptor of the list is not open in this process, or the socket is not."
      default: return "The descriptor is not open in this process: it was closed, released or never opened."
      }
    case .connectionRefused: return "Nobody listens there: start the server, or check the address."
    case .connectionReset where operation == .connect:
      return "The peer dropped the connection before it began: over vsock this means that nobody listens there."
    case .timedOut:
      return operation == .connect
        ? "The peer did not answer in time: check that it runs and accepts, or give a later deadline."
        : nil
    case .addressInUse:
      return "Another socket has this address: stop it, choose another one, or set reuse-port on both."
    case .addressNotAvailable: return "The address is not one of this host's: see `ip address`, or bind to any address."
    case .unreachable: return "There is no route: check the address, the interface and `ip route`."
    case .permissionDenied:
      switch operation {
      case .bind: return "Ports below 1024 need CAP_NET_BIND_SERVICE; a path needs write permission in its directory."
      case .connect: return "A Unix path needs write permission on the socket's file; broadcast needs the option."
      case .setOption: return "This option needs CAP_NET_ADMIN or CAP_NET_RAW."
      case .enterNamespace: return "Entering a network namespace needs CAP_SYS_ADMIN, here and in the one that owns it."
      // EACCES is the ping sockets' own answer (net/ipv4/ping.c), EPERM that of raw and packet sockets.
      case .open where errno == 13:
        return "ICMP without privilege needs the process's group within net.ipv4.ping_group_range (sysctl -w "
          + "net.ipv4.ping_group_range=\"0 2147483647\"); a raw socket needs CAP_NET_RAW instead."
      case .contextID: return "/dev/vsock is not readable for this process: chmod 666 /dev/vsock, or join its group."
      case .open: return "Raw and packet sockets need CAP_NET_RAW."
      default: return "The process lacks the permission or capability."
      }
    case .tooManyDescriptors:
      return "Close some, or raise the limit (`ulimit -n`, LimitNOFILE=). A listener stays usable: accept again later."
    case .outOfMemory: return "The kernel has no memory for it now: lower buffer sizes or try again."
    case .notRegistered: return "Register the socket with this poller first, and deregister before closing it."
    case .alreadyRegistered: return operation == .register ? "Use modify to change what is watched." : nil
    case .staleToken: return "The connection of this token has been removed: drop the event."
    case .invalidAddress:
      return "Write IPv4 as 127.0.0.1:80, IPv6 as [::1]:80, a Unix path as /path or @abstract-name, vsock as 3:5000 or "
        + "host:1024."
    case .addressTooLong: return "A Unix path or name has at most 107 bytes: use a shorter one, or an abstract name."
    case .invalidPort: return "A port is a decimal number from 0 to 65535; of vsock to 4294967295, or * for any."
    case .noSuchPath where operation == .contextID:
      return "There is no /dev/vsock: load the module (modprobe vsock_loopback, or the hypervisor's own transport)."
    case .nameNotFound where operation == .activate:
      return "No such socket was passed to this process: see LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and the names "
        + "in the socket unit (FileDescriptorName=)."
    case .transportReset: return "This machine was restored or moved: connect anew."
    case .nameNotFound: return "Check the spelling and /etc/hosts; a numeric address needs no name service."
    case .resolverFailed: return "The name service did not answer: check /etc/resolv.conf, and try again later."
    case .notSupported:
      switch operation {
      case .register, .modify: return "This poller lacks the mode: ask its capabilities, or choose another poller."
      default: return nil
      }
    case .protocolNotSupported: return "The kernel lacks it: load the module or choose another transport."
    case .wrongSocketKind: return "Adopt it with the type that matches its family, type and protocol."
    case .notASocket: return "Only a socket can be adopted here."
    case .notANetworkNamespace:
      return "Name one such as /proc/self/ns/net or /run/netns/NAME: `ip netns` lists those with names."
    case .noSuchPath where operation == .enterNamespace:
      return "No such namespace or process: `ip netns` lists those with names."
    case .noSuchPath: return "Nothing is bound at that path: start the server, or check the path."
    case .wrongSocketType: return "Another kind of Unix socket is bound there: stream, packet and datagram do not mix."
    case .messageTooLarge: return "Send smaller messages, or raise the send buffer."
    case .brokenPipe: return "The peer reads no more: close the connection."
    case .capacityExceeded where operation == .passDescriptors:
      return "The kernel passes at most 253 descriptors with one message: send several messages."
    case .invalidArgument where operation == .passDescriptors:
      return "A stream carries descriptors only beside bytes: send at least one byte with them."
    case .controlTruncated:
      return "The process had no room for the descriptors that came: close some, or raise the limit (`ulimit -n`)."
    default: return nil
    }
  }
}
