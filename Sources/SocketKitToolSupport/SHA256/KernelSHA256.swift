internal import SocketKitCore
internal import SocketKitRaw

/// SHA-256 by the kernel (AF_ALG, Documentation/crypto/userspace-if.rst): a socket that is written to, and then read.
///
/// Not there where the kernel lacks algif_hash, or a sandbox forbids the family: then making one throws.
public struct KernelSHA256: ~Copyable, Sendable {
  private let operation: GenericPacketSocket<HashAlgorithm, SocketLevelOptions>

  /// - Throws: `.protocolNotSupported` (EAFNOSUPPORT), `.noSuchPath` (ENOENT: the kernel knows no "sha256"),
  ///   `.permissionDenied`, `.tooManyDescriptors`.
  public init() throws {
    let kind = SocketKind(HashAlgorithm.sha256.family, .sequencedPacket)
    let algorithm = try GenericPacketSocket<HashAlgorithm, SocketLevelOptions>.open(kind)
    try algorithm.bind(to: HashAlgorithm.sha256)
    // Such a socket hands out its operations by accept(2), without listening.
    let listener = Listener<GenericPacketSocket<HashAlgorithm, SocketLevelOptions>>(
      algorithm.releaseDescriptor(), context: ())
    operation = try listener.accept(until: .never)
  }

  /// - Throws: `.outOfMemory`, or whatever the kernel's driver says.
  public func update(_ bytes: RawSpan) throws {
    var done = 0
    while done < bytes.byteCount {
      // A bounded piece: the kernel pins what it hashes.
      let piece = bytes.extracting(done..<min(done + 65536, bytes.byteCount))
      let result = operation.attemptSend(piece, control: RawSpan(), to: RawSpan(), flags: .more)
      if result.isFailure && !result.isWouldBlock { throw SocketError(result, .send) }
      done += max(0, result.raw)
    }
  }

  /// The checksum of what came; begins anew after it.
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

/// sockaddr_alg of linux/if_alg.h: family, type and name of an algorithm.
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
    return body(bytes.span.bytes)
  }

  /// The kernel tells the address of no such socket.
  init?(sockaddr: RawSpan) { nil }
  init(name: String) { self.name = name }

  var description: String { "hash:\(name)" }
}
