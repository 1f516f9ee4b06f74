extension OptionTarget where Self: ~Copyable {
  /// Takes the pending error of the socket (SO_ERROR, socket(7)): how a connect failed that goes on in the background, or
  /// what an earlier send brought back. Reading clears it; an error that a call has thrown is no longer pending.
  ///
  /// - Parameter operation: what the error is reported as.
  /// - Returns: the error; nil when there is none.
  /// - Throws: `.closed`, `.notASocket`.
  public borrowing func takePendingError(
    as operation: SocketError.Operation = .wait
  ) throws(SocketError) -> SocketError? {
    try optionDescriptor.takePendingError(operation)
  }
}

extension KernelSocket where Self: ~Copyable {
  /// Takes the pending error as other targets of options do. Where the transport's kernel reports a failure only once, the
  /// calls that wait for it in other threads end.
  /// - Throws: `.closed`, `.notASocket`.
  public borrowing func takePendingError(
    as operation: SocketError.Operation = .wait
  ) throws(SocketError) -> SocketError? {
    let error = try descriptor.takePendingError(operation)
    if let error { noteFailure(.failure(errno: error.errno)) }
    return error
  }
}
