import Glibc
import SocketKitCore
import SocketKitToolSupport
import TestSupport
import Testing

@Suite(.exclusive) struct SHA256Tests {
  /// FIPS 180-4's examples and NIST's vectors (SHA256ShortMsg.rsp), with lengths around the block's and the padding's.
  static let vectors: [(message: [UInt8], digest: String)] = [
    ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      Array(
        ("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
          + "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu").utf8),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    ([0xd3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
    ([0x11, 0xaf], "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
    ([0x74, 0xba, 0x25, 0x21], "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e"),
    ([UInt8](repeating: 0, count: 55), "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"),
    ([UInt8](repeating: 0, count: 56), "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"),
    ([UInt8](repeating: 0, count: 63), "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971"),
    ([UInt8](repeating: 0, count: 64), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"),
    ([UInt8](repeating: 0, count: 65), "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7"),
    ([UInt8](repeating: 0, count: 1000), "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"),
  ]

  @Test func theSwiftOneGivesThePublishedChecksums() throws {
    for (message, digest) in Self.vectors {
      #expect(try SHA256.digest(of: message, by: .plain).description == digest)
    }
    #expect(try Self.million(by: .plain) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test(.kernelHash) func theKernelGivesThePublishedChecksums() throws { try Self.checkKernel() }

  static func checkKernel() throws {
    for (message, digest) in vectors {
      #expect(try SHA256.digest(of: message, by: .kernel).description == digest)
    }
    #expect(try million(by: .kernel) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    #expect(try SHA256().source == .kernel)
  }

  @Test func bothAgreeOnAnyBytesInAnyPieces() throws {
    for length in [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 4095, 4096, 70_000, 200_001] {
      let message = (0..<length).map { _ in UInt8.random(in: 0...255) }
      let whole = try SHA256.digest(of: message, by: .plain)
      var sources: [SHA256.Source] = [.plain]
      if KernelHash.isThere { sources.append(.kernel) }
      for source in sources {
        var hash = try SHA256(source)
        var rest = message[...]
        while !rest.isEmpty {
          let piece = Array(rest.prefix(Int.random(in: 0...length / 3 + 1)))
          try hash.update(piece.span)
          rest = rest.dropFirst(piece.count)
        }
        let digest = try hash.finish()
        #expect(digest == whole, "\(length) bytes in pieces, by \(source)")
      }
    }
  }

  @Test func sha256sumAgrees() throws {
    let folder = TemporaryFolder()
    let message = randomBytes(123_457)
    folder.write("f", message)
    let sum = try #require(PeerProcess(["sha256sum", "\(folder.path)/f"])).finish()
    #expect(String(decoding: sum.output.prefix(64), as: UTF8.self) == "\(try SHA256.digest(of: message))")
  }

  @Test func whoComputesIsChosenByWhatThereIs() throws {
    let chosen = try SHA256().source
    #expect(chosen == (KernelHash.isThere ? .kernel : .plain))
  }

  @Test func aDigestHasThirtyTwoBytes() {
    #expect(
      SHA256Digest([UInt8](repeating: 0, count: 31)) == nil && SHA256Digest([UInt8](repeating: 0, count: 33)) == nil)
    #expect(SHA256Digest(0..<32)?.description.hasPrefix("000102030405060708090a0b") == true)
  }

  static func million(by source: SHA256.Source) throws -> String {
    var hash = try SHA256(source)
    let part = [UInt8](repeating: UInt8(ascii: "a"), count: 40_000)
    for _ in 0..<25 { try hash.update(part.span) }
    return try hash.finish().description
  }
}

/// In the guest kernel the kernel's must be there, and be right.
@Suite(.exclusive, .guestOnly) struct GuestSHA256Tests {
  @Test func theKernelGivesThePublishedChecksums() throws { try SHA256Tests.checkKernel() }
}

/// Whether the kernel offers SHA-256. Asked without the code under test, which must not decide whether it is tested.
private enum KernelHash {
  static let isThere: Bool = {
    let number = socket(38, Int32(SOCK_SEQPACKET.rawValue), 0)
    guard number >= 0 else { return false }
    defer { close(number) }
    var address = [UInt8](repeating: 0, count: 88)
    address[0] = 38
    address.replaceSubrange(2..<6, with: Array("hash".utf8))
    address.replaceSubrange(24..<30, with: Array("sha256".utf8))
    // The kernel reads the 88 bytes of the array only during the call.
    return unsafe address.withUnsafeBytes { bytes in
      unsafe bytes.withMemoryRebound(to: sockaddr.self) { unsafe bind(number, $0.baseAddress, 88) == 0 }
    }
  }()
}

extension Trait where Self == ConditionTrait {
  fileprivate static var kernelHash: Self {
    .enabled(if: KernelHash.isThere, "unavailable: this kernel has no AF_ALG hashes (modprobe algif_hash)")
  }
}
