internal import CSocketKit
public import SocketKitCore

extension VsockContextID {
  /// This machine's own context ID now (ioctl IOCTL_VM_SOCKETS_GET_LOCAL_CID on /dev/vsock), or nil while it has none:
  /// no transport is there yet, or the one there does not say (Hyper-V never does).
  ///
  /// 1 (``local``) where there is loopback only; 2 (``host``) on a host of virtual machines.
  /// - Throws: `.noSuchPath` without /dev/vsock (the module vsock is not loaded), `.permissionDenied`,
  ///   `.tooManyDescriptors`.
  public static func current() throws(SocketError) -> VsockContextID? {
    var number: UInt32 = 0
    let result = IOResult(raw: csk_vsock_context_id(&number))
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
