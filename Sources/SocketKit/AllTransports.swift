/// Every transport of SocketKit that an address can name.
public typealias AllTransports = Transports<
  TCPSocket,
  Transports<
    UDPSocket,
    Transports<
      UnixStreamSocket,
      Transports<UnixSequencedPacketSocket, Transports<UnixDatagramSocket, NoTransports>>
    >
  >
>

/// An address of any transport of SocketKit: `tcp://localhost:80`, `unix:/run/x.sock`; ``Endpoint`` lists the forms.
public typealias AnyEndpoint = Endpoint<AllTransports>
