public import CSocketKit
public import SocketKitCore

extension IOResult {
  /// The kernel's answer on a vsock connection, with one put right: a transport that was reset is ENETRESET, hence
  /// `.transportReset`.
  ///
  /// The kernel tells the two resets apart, though not by name (net/vmw_vsock/virtio_transport{,_common}.c). A peer that
  /// resets a connection ends it: reading gives the end, writing EPIPE. When the transport resets, because the machine was
  /// restored or moved (VIRTIO_VSOCK_EVENT_TRANSPORT_RESET) or its device was taken away, the connection is closed
  /// without an end: ENOTCONN, or ECONNRESET to who was inside a call, while the socket still has its peer's address. A
  /// machine that is gone, seen from its host, is ECONNRESET inside a call too, but an end (vhost_vsock_reset_orphans).
  @inlinable
  func namingTransportReset(on descriptor: RawDescriptor) -> IOResult {
    raw == 0 &- Int(CSK_ENOTCONN) || raw == 0 &- Int(CSK_ECONNRESET) ? named(on: descriptor) : self
  }

  @usableFromInline @inline(never)
  func named(on descriptor: RawDescriptor) -> IOResult {
    // A send of nothing: EPIPE where there is an end.
    if csk_send(descriptor.value, nil, 0, CSK_MSG_NOSIGNAL | CSK_MSG_DONTWAIT) == 0 &- Int(CSK_EPIPE) { return self }
    var address = csk_sockaddr_vm()
    var length = UInt32(MemoryLayout<csk_sockaddr_vm>.size)
    // A socket that never was connected, or failed to, has no peer.
    return csk_getpeername(descriptor.value, &address, &length) < 0 ? self : .failure(errno: CSK_ENETRESET)
  }
}
