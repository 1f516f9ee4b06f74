internal import CSocketKit
public import SocketKitCore

// With authenticated chunks (RFC 4895), the two ends of an association share secrets. Each end selects types of chunks,
// and drops chunks of these types that are not signed with a shared secret.

extension SCTPAssociationOption where Value == UInt16 {
  /// The number of the key that signs future data (RFC 6458, 8.1.18). The key of data in transit does not change.
  ///
  /// Setting the option throws `.invalidArgument` for a key that is not installed or is deactivated. Reading or setting
  /// the option throws `.notSupported` with EACCES if authentication is off or the peer does not support it. The C name
  /// is `SCTP_AUTH_ACTIVE_KEY`.
  public static var activeKey: Self {
    Self(
      read: { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> UInt16 in
        try authenticating { () throws(SocketError) in
          try target.sctpOption(CSK_SCTP_AUTH_ACTIVE_KEY, asking: csk_sctp_authkeyid(of: association)).number
        }
      },
      write: { (target: RawDescriptor, association: SCTPAssociationID, number: UInt16) throws(SocketError) in
        try target.setKey(CSK_SCTP_AUTH_ACTIVE_KEY, number, of: association)
      })
  }
}

extension ReadOnlySCTPAssociationOption where Value == [SCTPChunkType] {
  /// The types of chunks for which this end of an association requires signatures. For `.future`, the value contains
  /// the types for which the socket requires signatures.
  ///
  /// Reading the option throws `.notSupported` with EACCES if authentication is off or the peer does not support it.
  /// The C name is `SCTP_LOCAL_AUTH_CHUNKS` (RFC 6458, 8.2.4).
  public static var authenticatedChunks: Self { Self(chunks: CSK_SCTP_LOCAL_AUTH_CHUNKS) }

  /// The types of chunks for which the peer requires signatures. This end signs chunks of these types.
  ///
  /// Reading the option throws `.notSupported` with EACCES if the peer does not support authentication. The C name is
  /// `SCTP_PEER_AUTH_CHUNKS` (RFC 6458, 8.2.3).
  public static var peerAuthenticatedChunks: Self { Self(chunks: CSK_SCTP_PEER_AUTH_CHUNKS) }

  private init(chunks name: Int32) {
    self.init { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
      var bytes: [UInt8] = []
      bytes.append(bytesOf: csk_sctp_authchunks(association: association.rawValue, count: 0))
      // There are at most 256 types.
      bytes += repeatElement(0, count: 256)
      try authenticating { () throws(SocketError) in
        let result = target.readSCTPOption(name, into: &bytes)
        if result.isFailure { throw SocketError(result, .getOption) }
      }
      // The returned length is not reliable: for the peer's chunks it excludes the header.
      let count = bytes.span.integerBytes.integer(at: 4, as: UInt32.self)
      return bytes.dropFirst(8).prefix(Int(count)).map { SCTPChunkType(rawValue: $0) }
    }
  }
}

extension RawDescriptor {
  /// Installs a shared secret (SCTP_AUTH_KEY).
  func installKey(
    _ number: UInt16, secret: [UInt8], for association: SCTPAssociationID
  ) throws(SocketError) {
    guard let length = UInt16(exactly: secret.count) else { throw SocketError(code: .invalidArgument, .setOption) }
    let header = csk_sctp_authkey(association: association.rawValue, number: number, length: length)
    // The kernel requires a byte after the header, even when the secret is empty.
    var bytes: [UInt8] = []
    bytes.append(bytesOf: header)
    bytes += secret.isEmpty ? [0] : secret
    try authenticating { () throws(SocketError) in try setSCTPOption(CSK_SCTP_AUTH_KEY, toBytes: bytes) }
  }

  /// Requires that chunks of the given type are signed (SCTP_AUTH_CHUNK).
  func requireAuthentication(of chunk: SCTPChunkType) throws(SocketError) {
    try authenticating { () throws(SocketError) in try setSCTPOption(CSK_SCTP_AUTH_CHUNK, to: chunk.rawValue) }
  }

  /// Sets an option whose value is the number of a key.
  func setKey(_ name: Int32, _ number: UInt16, of association: SCTPAssociationID) throws(SocketError) {
    let value = csk_sctp_authkeyid(association: association.rawValue, number: number)
    try authenticating { () throws(SocketError) in try setSCTPOption(name, to: value) }
  }
}

/// Runs the body, and reports EACCES as `.notSupported`.
///
/// In these calls, EACCES does not mean that a privilege is missing. It means that authentication is off or that the
/// peer does not support it.
func authenticating<R>(_ body: () throws(SocketError) -> R) throws(SocketError) -> R {
  do throws(SocketError) {
    return try body()
  } catch {
    throw error.errno == CSK_EACCES ? SocketError(code: .notSupported, error.operation, errno: error.errno) : error
  }
}

/// An algorithm that signs chunks: the HMAC identifiers of RFC 4895, 3.3.
public struct SCTPAuthenticationAlgorithm: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// SHA-1, which every end must support.
  public static var sha1: Self { Self(rawValue: 1) }
  /// SHA-256.
  public static var sha256: Self { Self(rawValue: 3) }
}

extension SocketOption where Group == SCTPSocketOptions, Value == [SCTPAuthenticationAlgorithm] {
  /// The algorithms with which the peers of future associations may sign, in order of preference.
  ///
  /// A peer uses the first algorithm that it supports. Set the option before listening or connecting.
  ///
  /// Setting the option throws `.notSupported` for an algorithm that the kernel does not support, and with EACCES if
  /// ``SCTPAssociationOption/authenticationSupported`` is off; `.invalidArgument` for a list without
  /// ``SCTPAuthenticationAlgorithm/sha1``, or with more than 4 algorithms. The C name is `SCTP_HMAC_IDENT`.
  public static var authenticationAlgorithms: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Value in
        // struct sctp_hmacalgo: the number of identifiers, then the identifiers.
        var bytes = [UInt8](repeating: 0, count: 64)
        try authenticating { () throws(SocketError) in
          let result = target.readSCTPOption(CSK_SCTP_HMAC_IDENT, into: &bytes)
          if result.isFailure { throw SocketError(result, .getOption) }
        }
        let memory = bytes.span.integerBytes
        return (0..<min(30, Int(memory.integer(as: UInt32.self)))).map {
          SCTPAuthenticationAlgorithm(rawValue: memory.integer(at: 4 + 2 * $0, as: UInt16.self))
        }
      },
      write: { (target: RawDescriptor, value: Value) throws(SocketError) in
        guard value.count <= 4 else { throw SocketError(code: .invalidArgument, .setOption) }
        var bytes: [UInt8] = []
        bytes.append(bytesOf: UInt32(value.count))
        for algorithm in value { bytes.append(bytesOf: algorithm.rawValue) }
        try authenticating { () throws(SocketError) in
          try target.setSCTPOption(CSK_SCTP_HMAC_IDENT, toBytes: bytes)
        }
      })
  }
}
