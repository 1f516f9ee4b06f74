/// Computes a SHA-256 checksum incrementally: in the kernel if the kernel supports this, otherwise in Swift.
public struct SHA256: ~Copyable {
  /// The implementation that computes the checksum.
  public enum Source: Sendable { case kernel, plain }

  private var plain = PlainSHA256()
  private let kernel: KernelSHA256?

  /// - Parameter source: nil selects the kernel if it is available.
  public init(_ source: Source? = nil) throws {
    switch source {
    case .plain: kernel = nil
    case .kernel: kernel = try KernelSHA256()
    case nil: kernel = try? KernelSHA256()
    }
  }

  public var source: Source { kernel == nil ? .plain : .kernel }

  public mutating func update(_ bytes: Span<UInt8>) throws {
    if kernel == nil {
      plain.update(bytes)
    } else {
      try kernel?.update(bytes)
    }
  }

  /// Returns the checksum of all bytes and ends the computation.
  public consuming func finish() throws -> SHA256Digest {
    if let digest = try kernel?.finish() { return digest }
    return plain.digest()
  }

  /// Returns the checksum of an array of bytes.
  public static func digest(of bytes: [UInt8], by source: Source? = nil) throws -> SHA256Digest {
    var hash = try SHA256(source)
    try hash.update(bytes.span)
    return try hash.finish()
  }
}
