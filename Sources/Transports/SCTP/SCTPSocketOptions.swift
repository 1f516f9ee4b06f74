public import SocketKitCore

/// The options that SCTP sockets of all styles take: those of sctp(7), ip(7) and ipv6(7).
public enum SCTPSocketOptions: IPOptions {}
