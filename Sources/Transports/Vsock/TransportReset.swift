public import CSocketKit
public import SocketKitCore

extension IOResult {
  /// Returns ENETRESET (`.transportReset`) if the transport of the vsock connection was reset. Otherwise, returns the
  /// kernel's result unchanged.
  ///
  /// The kernel distinguishes a transport reset from a reset by the peer, but it does not report a separate error code
  /// for a transport reset (net/vmw_vsock/virtio_transport{,_common}.c). A reset by the peer ends the connection: a
  /// read call returns the end of the stream, and a write call fails with EPIPE. The transport is reset when the
  /// machine is restored or moved (VIRTIO_VSOCK_EVENT_TRANSPORT_RESET), and also when the vsock device is removed. The
  /// connection is then closed without an end of the stream: calls in progress fail with ECONNRESET, later calls fail
  /// with ENOTCONN, and the socket keeps its peer's address. When a guest disappears, calls in progress on its host
  /// also fail with ECONNRESET, but later read calls return the end of the stream (vhost_vsock_reset_orphans).
  @inlinable
  func namingTransportReset(on descriptor: RawDescriptor) -> IOResult {
    raw == 0 &- Int(CSK_ENOTCONN) || raw == 0 &- Int(CSK_ECONNRESET) ? named(on: descriptor) : self
  }

  @usableFromInline @inline(never)
  func named(on descriptor: RawDescriptor) -> IOResult {
    // An empty send call fails with EPIPE if the connection has ended with an end of the stream.
    if descriptor.attemptEmptySend().errno == CSK_EPIPE { return self }
    // If the socket was never connected, or if connecting failed, the socket has no peer. The kernel writes the address
    // and its length only during the call.
    var address = csk_sockaddr_vm()
    var length = UInt32(MemoryLayout<csk_sockaddr_vm>.size)
    let result = unsafe csk_getpeername(descriptor.value, &address, &length)
    return result < 0 ? self : .failure(errno: CSK_ENETRESET)
  }
}

extension RawDescriptor {
  /// Checks the connection with an empty send call, for which the kernel checks the connection and does nothing else
  /// (net/vmw_vsock/af_vsock.c).
  func attemptEmptySend() -> IOResult {
    IOResult(raw: csk_send(value, nil, 0, CSK_MSG_NOSIGNAL | CSK_MSG_DONTWAIT))
  }
}
