/// All SocketKit transports that an endpoint address can name.
public typealias AllTransports = Transports<TCPSocket, Transports<UDPSocket, TransportsBesideIP>>

/// All transports of ``AllTransports`` except TCP and UDP.
public typealias TransportsBesideIP = Transports<
  UnixStreamSocket, Transports<UnixSequencedPacketSocket, Transports<UnixDatagramSocket, VsockAndSCTPTransports>>
>

/// The transports of ``AllTransports`` that some kernels do not support.
public typealias VsockAndSCTPTransports = Transports<
  VsockStreamSocket,
  Transports<VsockSequencedPacketSocket, Transports<VsockDatagramSocket, Transports<SCTPSocket, NoTransports>>>
>

/// An address of any of these transports, such as `tcp://localhost:80` or `unix:/run/x.sock`;
/// ``/SocketKitCore/Endpoint`` lists the forms.
public typealias AnyEndpoint = Endpoint<AllTransports>
