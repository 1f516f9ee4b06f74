internal import Glibc

/// Runs the body on a thread of its own for which the kernel refuses a system call: seccomp(2), as a sandbox does it.
///
/// - Parameters:
///   - number: the call, from <sys/syscall.h>.
///   - argument: the value of its first argument for which it is refused; nil refuses it always.
///   - errno: what it fails with.
/// - Returns: nil when no filter can be installed.
public func refusing<R>(
  _ number: Int, whenFirstArgumentIs argument: UInt32? = nil, errno: Int32, _ body: @escaping () -> R
) -> R? {
  onThread { installFilter(UInt32(number), argument, errno) ? body() : nil }
}

/// As `socket(AF_INET6, …)` fails on a host whose kernel was started with `ipv6.disable=1`.
public func withoutIPv6<R>(_ body: @escaping () -> R) -> R? {
  refusing(socketCall, whenFirstArgumentIs: UInt32(AF_INET6), errno: EAFNOSUPPORT, body)
}

#if arch(x86_64)
  private let socketCall = 41
#else
  private let socketCall = 198
#endif

private struct Instruction {
  var code: UInt16
  var jumpIfTrue: UInt8 = 0
  var jumpIfFalse: UInt8 = 0
  var operand: UInt32
}

private struct Program {
  var count: UInt16
  var instructions: UnsafeMutablePointer<Instruction>?
}

private func installFilter(_ number: UInt32, _ argument: UInt32?, _ errno: Int32) -> Bool {
  let load: UInt16 = 0x20
  let jumpIfEqual: UInt16 = 0x15
  let end: UInt16 = 0x06
  let allow: UInt32 = 0x7fff_0000
  let refuse: UInt32 = 0x0005_0000 | UInt32(errno)
  // struct seccomp_data: the call's number at 0, its first argument at 16, the lower half first.
  var instructions: [Instruction] = [
    Instruction(code: load, operand: 0),
    Instruction(code: jumpIfEqual, jumpIfFalse: argument == nil ? 1 : 3, operand: number),
  ]
  if let argument {
    instructions.append(Instruction(code: load, operand: 16))
    instructions.append(Instruction(code: jumpIfEqual, jumpIfFalse: 1, operand: argument))
  }
  instructions.append(Instruction(code: end, operand: refuse))
  instructions.append(Instruction(code: end, operand: allow))
  return instructions.withUnsafeMutableBufferPointer { memory in
    var program = Program(count: UInt16(memory.count), instructions: memory.baseAddress)
    let (setNoNewPrivileges, setFilter): (Int32, Int32) = (38, 22)
    guard prctl(setNoNewPrivileges, 1, 0, 0, 0) == 0 else { return false }
    return withUnsafeMutablePointer(to: &program) { prctl(setFilter, 2, UInt(bitPattern: $0), 0, 0) } == 0
  }
}

@_silgen_name("prctl") private func prctl(_ option: Int32, _ a: UInt, _ b: UInt, _ c: UInt, _ d: UInt) -> Int32
