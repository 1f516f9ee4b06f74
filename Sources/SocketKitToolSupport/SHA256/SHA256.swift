/// A SHA-256 checksum of bytes that come piece by piece: by the kernel where it offers that, otherwise in Swift.
public struct SHA256: ~Copyable {
  /// Who computes.
  public enum Source: Sendable { case kernel, plain }

  private var plain = PlainSHA256()
  private let kernel: KernelSHA256?

  /// - Parameter source: nil takes the kernel where it can.
  public init(_ source: Source? = nil) throws {
    switch source {
    case .plain: kernel = nil
    case .kernel: kernel = try KernelSHA256()
    case nil: kernel = try? KernelSHA256()
    }
  }

  public var source: Source { kernel == nil ? .plain : .kernel }

  public mutating func update(_ bytes: RawSpan) throws {
    if kernel == nil {
      plain.update(bytes)
    } else {
      try kernel?.update(bytes)
    }
  }

  /// The checksum of all that came. Nothing may follow.
  public consuming func finish() throws -> SHA256Digest {
    if let digest = try kernel?.finish() { return digest }
    return plain.digest()
  }

  /// The checksum of bytes that are all there.
  public static func digest(of bytes: [UInt8], by source: Source? = nil) throws -> SHA256Digest {
    var hash = try SHA256(source)
    try hash.update(bytes.span.bytes)
    return try hash.finish()
  }
}
