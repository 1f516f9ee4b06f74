internal import CSocketKit
public import SocketKitCore

extension VsockContextID {
  /// Returns this machine's current context ID (ioctl IOCTL_VM_SOCKETS_GET_LOCAL_CID on /dev/vsock), or nil if it has
  /// none.
  ///
  /// The result is nil while no transport is present, or if the transport does not report the ID (Hyper-V never reports
  /// it). The ID is 1 (``local``) if only loopback is present, and 2 (``host``) on a host of virtual machines.
  /// - Throws: `.noSuchPath` if /dev/vsock does not exist (the module vsock is not loaded), `.permissionDenied`,
  ///   `.tooManyDescriptors`.
  public static func current() throws(SocketError) -> VsockContextID? {
    var number: UInt32 = 0
    // The kernel writes the number only during the call.
    let result = IOResult(raw: unsafe csk_vsock_context_id(&number))
    if result.isFailure { throw SocketError(result, .contextID) }
    return number == CSK_VMADDR_CID_ANY ? nil : VsockContextID(rawValue: number)
  }

  static func currentIfKnown() -> VsockContextID? {
    do throws(SocketError) {
      return try current()
    } catch {
      return nil
    }
  }
}
