extension OptionTarget where Self: ~Copyable {
  /// Takes the pending error of the socket (SO_ERROR, socket(7)): the failure of a connect in the background, or an
  /// error that an earlier send caused. Reading clears it; an error that a call has thrown is no longer pending.
  ///
  /// - Parameter operation: the operation of the returned error.
  /// - Returns: the error; nil when there is none.
  /// - Throws: `.closed`, `.notASocket`.
  public borrowing func takePendingError(
    as operation: SocketError.Operation = .wait
  ) throws(SocketError) -> SocketError? {
    try descriptor.takePendingError(operation)
  }
}

extension KernelSocket where Self: ~Copyable {
  /// Takes the pending error, as for every ``OptionTarget``. Where the kernel reports a failure of this transport only
  /// once, it also ends the calls of other threads that wait for it.
  /// - Throws: `.closed`, `.notASocket`.
  public borrowing func takePendingError(
    as operation: SocketError.Operation = .wait
  ) throws(SocketError) -> SocketError? {
    guard let error = try descriptor.takePendingError(operation) else { return nil }
    return SocketError(Self.named(.failure(errno: error.errno), on: descriptor), operation)
  }
}
