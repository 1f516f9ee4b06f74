internal import SocketKitCore
internal import SocketKitRaw

/// Computes SHA-256 in the kernel (AF_ALG, Documentation/crypto/userspace-if.rst): the data is written to a socket, and
/// the checksum is read from it.
///
/// The initializer throws if the kernel lacks algif_hash, or if a sandbox forbids the address family.
public struct KernelSHA256: ~Copyable, Sendable {
  private let operation: GenericPacketSocket<HashAlgorithm, SocketLevelOptions>

  /// - Throws: `.protocolNotSupported` (EAFNOSUPPORT), `.noSuchPath` (ENOENT: the kernel has no "sha256" algorithm),
  ///   `.permissionDenied`, `.tooManyDescriptors`.
  public init() throws {
    let kind = SocketKind(HashAlgorithm.sha256.family, .sequencedPacket)
    var algorithm = try GenericPacketSocket<HashAlgorithm, SocketLevelOptions>.open(kind)
    try algorithm.bind(to: HashAlgorithm.sha256)
    // accept(2) on an AF_ALG socket returns an operation socket; no listen(2) is needed.
    let listener = Listener<GenericPacketSocket<HashAlgorithm, SocketLevelOptions>>(
      algorithm.releaseDescriptor(), context: ())
    operation = try listener.accept(until: .never)
  }

  /// - Throws: `.outOfMemory`, or another error of the kernel's driver.
  public func update(_ bytes: Span<UInt8>) throws {
    var done = 0
    while done < bytes.count {
      // Write pieces of limited size: the kernel pins the memory that it hashes.
      let piece = bytes.extracting(done..<min(done + 65536, bytes.count))
      let result = operation.attemptSend(piece, ancillary: RawSpan(), to: RawSpan(), flags: .more)
      if result.isFailure && !result.isWouldBlock { throw SocketError(result, .send) }
      done += max(0, result.raw)
    }
  }

  /// Returns the checksum of all bytes that were added since the last checksum, and starts a new checksum.
  public func finish() throws -> SHA256Digest {
    var bytes = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
    var info = MessageInfo()
    let outcome = try operation.receive(into: bytes.mutableSpan, &info)
    guard outcome == .bytes(SHA256Digest.byteCount), let digest = SHA256Digest(bytes) else {
      throw SocketError(code: .unexpectedEnd, .receive)
    }
    return digest
  }
}

/// The address type for sockaddr_alg (linux/if_alg.h): the address family, and the type and the name of an algorithm.
struct HashAlgorithm: SocketAddress {
  let name: String

  static let sha256 = HashAlgorithm(name: "sha256")

  var family: AddressFamily { AddressFamily(rawValue: 38) }

  borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    // u16 family, u8 type[14], u32 feature, u32 mask, u8 name[64]
    var bytes = [UInt8](repeating: 0, count: 88)
    bytes[0] = 38
    bytes.replaceSubrange(2..<6, with: Array("hash".utf8))
    let utf8 = Array(name.utf8.prefix(63))
    bytes.replaceSubrange(24..<24 + utf8.count, with: utf8)
    return body(bytes.span.integerBytes)
  }

  /// The kernel never returns an address for these sockets.
  init?(sockaddr: RawSpan) { nil }
  init(name: String) { self.name = name }

  var description: String { "hash:\(name)" }
}
