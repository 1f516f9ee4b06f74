internal import SocketKitCore
public import SocketKitIP

/// The options of SCTP sockets of all styles: those of sctp(7), ip(7) and ipv6(7).
public enum SCTPSocketOptions: IPOptions {}
