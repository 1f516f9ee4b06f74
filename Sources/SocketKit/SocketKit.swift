/// Re-exports SocketKitCore, every transport and every poller. A program that needs only some of them can depend on the
/// individual modules.
@_exported public import SocketKitBusySpin
@_exported public import SocketKitCore
@_exported public import SocketKitEpoll
@_exported public import SocketKitIP
@_exported public import SocketKitLinux
@_exported public import SocketKitPoll
@_exported public import SocketKitRaw
@_exported public import SocketKitSCTP
@_exported public import SocketKitTCP
@_exported public import SocketKitUDP
@_exported public import SocketKitUnix
@_exported public import SocketKitVsock
