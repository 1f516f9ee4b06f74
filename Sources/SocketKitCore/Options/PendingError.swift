extension OptionTarget where Self: ~Copyable {
  /// Returns and clears the pending error of the socket (SO_ERROR, socket(7)). A pending error is the error of a
  /// connection attempt in the background, or an error that an earlier send caused. An error that a call has already
  /// thrown is no longer pending.
  ///
  /// - Parameter operation: the operation that the returned error contains.
  /// - Returns: the error; nil if there is none.
  /// - Throws: `.closed`, `.notASocket`.
  public borrowing func takePendingError(
    as operation: SocketError.Operation = .wait
  ) throws(SocketError) -> SocketError? {
    try descriptor.takePendingError(operation)
  }
}

extension KernelSocket where Self: ~Copyable {
  /// Returns and clears the pending error, like the method of ``OptionTarget``. If the transport replaces misleading
  /// error numbers of the kernel (``KernelSocket/named(_:on:)``), the returned error contains the replacement.
  /// - Throws: `.closed`, `.notASocket`.
  public borrowing func takePendingError(
    as operation: SocketError.Operation = .wait
  ) throws(SocketError) -> SocketError? {
    guard let error = try descriptor.takePendingError(operation) else { return nil }
    return SocketError(Self.named(.failure(errno: error.errno), on: descriptor), operation)
  }
}
