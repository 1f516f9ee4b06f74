import Glibc
import SocketKit
import TestSupport
import Testing

// What the vsock tests share. All of them stay on loopback, in the guest kernel.

/// Two ends of a connection over loopback.
func vsockPair<S: Transport & Acceptable<Void> & ~Copyable>(
  _ type: S.Type, configure: @Sendable (borrowing S) throws(SocketError) -> Void = { (_) throws(SocketError) in }
) throws -> SocketPair<S> where S.Address == VsockAddress {
  let listener = try S.listen(on: .local(port: .any), configure: configure)
  let client = try S.connect(to: listener.localAddress(), until: .after(patience), configure: configure)
  return SocketPair(client, try listener.accept(until: .after(patience)))
}

/// What a call about an address failed with, whole; nil when it did not.
func vsockFailure(_ body: () throws(SocketError) -> Void) -> SocketError? {
  do throws(SocketError) {
    try body()
    return nil
  } catch {
    return error
  }
}

/// Runs the body on a thread whose effective user is nobody, and which therefore has no capabilities.
func asNobody<R>(_ body: @escaping () -> R) -> R {
  onThread { asNobodyHere(body) }
}

/// The same on this thread, which stays nobody's.
func asNobodyHere<R>(_ body: () -> R) -> R {
  // The system call itself: libc's wrapper would change all threads.
  precondition(changeUser(setresuidNumber, 65534, 65534, 65534) == 0, "cannot become nobody")
  return body()
}

/// Runs the body on a thread that sees a `/dev` of its own, empty at first.
func withOwnDeviceFolder<R>(_ body: @escaping () -> R) -> R {
  onThread {
    // CLONE_FS | CLONE_NEWNS, then nothing that is mounted here shows elsewhere (MS_REC | MS_PRIVATE).
    precondition(unshareParts(0x200 | 0x20000) == 0, "no mount namespace")
    // The kernel reads the texts during the calls.
    let hidden = unsafe mount("none", "/", nil, 0x4000 | 0x40000, nil)
    precondition(hidden == 0, "cannot make mounts private")
    let mounted = unsafe mount("none", "/dev", "tmpfs", 0, nil)
    precondition(mounted == 0, "cannot mount")
    return body()
  }
}

#if arch(arm64)
  private let setresuidNumber = 147
#else
  private let setresuidNumber = 117
#endif
@_silgen_name("unshare") private func unshareParts(_ flags: Int32) -> Int32
@_silgen_name("syscall") private func changeUser(_ call: Int, _ real: Int, _ effective: Int, _ saved: Int) -> Int
@_silgen_name("mount") private func mount(
  _ source: UnsafePointer<CChar>?, _ target: UnsafePointer<CChar>?, _ type: UnsafePointer<CChar>?, _ flags: UInt,
  _ data: UnsafeRawPointer?
) -> Int32

/// Bytes that tell which message they are: number, length, and a pattern that is shifted by the number.
func vsockRecord(_ number: Int, _ count: Int) -> [UInt8] {
  precondition(count >= 8 && count < vsockPattern.count)
  let start = number % 251
  // The two numbers have no padding.
  return unsafe withUnsafeBytes(of: (UInt32(number), UInt32(count))) { unsafe Array($0) }
    + vsockPattern[start..<start + count - 8]
}

/// Of a prime period, so that no piece of 64 KiB looks like the one before. Copied, because an emulated machine makes
/// millions of bytes one by one too slowly.
private let vsockPattern: [UInt8] = {
  var pattern = (0..<1009).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 7 &+ $0) }
  while pattern.count < 600_000 { pattern += pattern }
  return pattern
}()

/// Whether they are the same bytes, by memcmp(3), for the same reason.
func areSame(_ a: borrowing [UInt8], _ count: Int, _ b: [UInt8]) -> Bool {
  guard count == b.count else { return false }
  // Both arrays have at least `count` bytes.
  return unsafe a.withUnsafeBytes { left in
    guard let start = left.baseAddress, left.count >= count else { return count == 0 }
    return unsafe memcmp(start, b, count) == 0
  }
}

/// Numbers that are the same in every run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
