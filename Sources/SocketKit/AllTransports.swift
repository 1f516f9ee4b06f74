/// Every transport of SocketKit that an address can name.
public typealias AllTransports = Transports<TCPSocket, Transports<UDPSocket, TransportsBesideIP>>

/// ``AllTransports`` without TCP and UDP.
public typealias TransportsBesideIP = Transports<
  UnixStreamSocket, Transports<UnixSequencedPacketSocket, Transports<UnixDatagramSocket, VsockAndSCTPTransports>>
>

/// The part of ``AllTransports`` that not every kernel has.
public typealias VsockAndSCTPTransports = Transports<
  VsockStreamSocket,
  Transports<VsockSequencedPacketSocket, Transports<VsockDatagramSocket, Transports<SCTPSocket, NoTransports>>>
>

/// An address of any of these transports: `tcp://localhost:80`, `unix:/run/x.sock`; ``Endpoint`` lists the forms.
public typealias AnyEndpoint = Endpoint<AllTransports>
