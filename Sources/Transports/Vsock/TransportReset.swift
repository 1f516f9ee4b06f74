public import CSocketKit
public import SocketKitCore

extension IOResult {
  /// Returns the kernel's result on a vsock connection, with a transport reset as ENETRESET, hence `.transportReset`.
  ///
  /// The kernel distinguishes a transport reset from a reset by the peer, but not by an error code of its own
  /// (net/vmw_vsock/virtio_transport{,_common}.c). A reset by the peer ends the connection: a read returns the end of
  /// the stream, and a write fails with EPIPE. The transport resets when the machine is restored or moved
  /// (VIRTIO_VSOCK_EVENT_TRANSPORT_RESET) or its device is removed. The connection is then closed without an end of the
  /// stream: calls fail with ENOTCONN, calls in progress with ECONNRESET, and the socket keeps its peer's address. When
  /// a guest disappears, calls in progress on its host also fail with ECONNRESET, but the stream then has an end
  /// (vhost_vsock_reset_orphans).
  @inlinable
  func namingTransportReset(on descriptor: RawDescriptor) -> IOResult {
    raw == 0 &- Int(CSK_ENOTCONN) || raw == 0 &- Int(CSK_ECONNRESET) ? named(on: descriptor) : self
  }

  @usableFromInline @inline(never)
  func named(on descriptor: RawDescriptor) -> IOResult {
    // An empty send fails with EPIPE if the stream has an end.
    if csk_send(descriptor.value, nil, 0, CSK_MSG_NOSIGNAL | CSK_MSG_DONTWAIT) == 0 &- Int(CSK_EPIPE) { return self }
    var address = csk_sockaddr_vm()
    var length = UInt32(MemoryLayout<csk_sockaddr_vm>.size)
    // A socket that was never connected, or whose connect failed, has no peer.
    return csk_getpeername(descriptor.value, &address, &length) < 0 ? self : .failure(errno: CSK_ENETRESET)
  }
}
