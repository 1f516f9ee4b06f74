/// Every transport of SocketKit that an address can name.
public typealias AllTransports = Transports<TCPSocket, Transports<UDPSocket, UnixAndVsockTransports>>

/// The part of ``AllTransports`` that needs no IP.
public typealias UnixAndVsockTransports = Transports<
  UnixStreamSocket, Transports<UnixSequencedPacketSocket, Transports<UnixDatagramSocket, VsockTransports>>
>

/// vsock's part of ``AllTransports``.
public typealias VsockTransports = Transports<VsockStreamSocket, Transports<VsockDatagramSocket, NoTransports>>

/// An address of any transport of SocketKit: `tcp://localhost:80`, `unix:/run/x.sock`; ``Endpoint`` lists the forms.
public typealias AnyEndpoint = Endpoint<AllTransports>
