internal import CSocketKit
internal import Glibc

/// Runs the body on a thread of its own for which the kernel refuses these system calls with this error number, as it
/// does in a sandbox (seccomp(2)). The filter goes with the thread; threads and programs that it starts have it too.
///
/// - Parameter argument: the value of a call's first argument for which it is refused; nil refuses it always.
public func whileRefused<R>(
  _ calls: [Int], whenFirstArgumentIs argument: UInt32? = nil, with error: Int32, _ body: () throws -> R
) throws -> R {
  try withoutActuallyEscaping(body) { body in
    let result: Result<R, any Error> = onThread {
      let failure = refuse(calls, argument, with: error)
      precondition(failure == 0, "no filter: error \(failure)")
      return Result { try body() }
    }
    return try result.get()
  }
}

/// As `socket(AF_INET6, …)` fails on a host whose kernel was started with `ipv6.disable=1`.
public func withoutIPv6<R>(_ body: () throws -> R) throws -> R {
  try whileRefused([Int(SYS_socket)], whenFirstArgumentIs: UInt32(AF_INET6), with: EAFNOSUPPORT, body)
}

/// Refuses system calls of the calling thread from now on: 0, or an error number.
private func refuse(_ calls: [Int], _ argument: UInt32?, with error: Int32) -> Int {
  // struct sock_filter of linux/filter.h in a word: code, where to go when true, when false, and a number.
  func instruction(_ code: UInt64, _ number: UInt64, ifTrue: UInt64 = 0) -> UInt64 {
    code | ifTrue << 16 | number << 32
  }
  var filter = [instruction(0x20, 0)]  // load the call's number
  for (index, call) in calls.enumerated() {
    filter.append(instruction(0x15, UInt64(call), ifTrue: UInt64(calls.count - index)))
  }
  filter.append(instruction(0x06, 0x7fff_0000))  // SECCOMP_RET_ALLOW
  if let argument {
    filter.append(instruction(0x20, 16))  // load the lower half of the first argument
    filter.append(instruction(0x15, UInt64(argument), ifTrue: 1))
    filter.append(instruction(0x06, 0x7fff_0000))
  }
  filter.append(instruction(0x06, 0x0005_0000 | UInt64(error)))  // SECCOMP_RET_ERRNO
  // The kernel copies the filter during the call, and both arrays outlive it.
  return unsafe filter.withUnsafeBufferPointer { filter in
    // struct sock_fprog.
    let program = [UInt64(filter.count), UInt64(UInt(bitPattern: filter.baseAddress))]
    return unsafe program.withUnsafeBufferPointer { program in
      func install() -> Int {
        // SECCOMP_SET_MODE_FILTER, for this thread only.
        csk_syscall(Int(SYS_seccomp), 1, 0, Int(bitPattern: program.baseAddress), 0, 0, 0)
      }
      let result = install()
      if result != -Int(EACCES) { return -result }
      // Without the privilege the kernel requires PR_SET_NO_NEW_PRIVS, which applies to this thread.
      _ = csk_syscall(Int(SYS_prctl), 38, 1, 0, 0, 0, 0)
      return -install()
    }
  }
}
