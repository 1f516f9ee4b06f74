internal import CSocketKit
public import SocketKitCore

/// One instruction of a classic BPF program, in the layout of struct sock_filter of linux/filter.h.
///
/// ```swift
/// // Accepts datagrams whose first payload byte, after UDP's header of 8 bytes, is 0x2a; drops others.
/// try socket.setOption(.filter, to: [.load(.byte, at: 8), .jump(if: .equal(0x2a), then: 0, else: 1), .accept, .drop])
/// ```
/// The packet data that a filter reads begin with the header of the transport protocol on UDP and TCP sockets, with the
/// IP header on raw IPv4 sockets, and with the header of the link layer on packet sockets.
@frozen
public struct BPFInstruction: BitwiseCopyable, Hashable, Sendable {
  /// The operation (BPF_LD, BPF_JMP …, linux/bpf_common.h).
  public var code: UInt16
  /// The number of instructions to skip if the condition holds.
  public var jumpIfTrue: UInt8
  /// The number of instructions to skip if the condition does not hold.
  public var jumpIfFalse: UInt8
  /// The operand.
  public var operand: UInt32

  /// Creates an instruction from the fields of struct sock_filter. The kernel checks a program when the program is
  /// attached to a socket.
  @inlinable
  public init(code: UInt16, jumpIfTrue: UInt8 = 0, jumpIfFalse: UInt8 = 0, operand: UInt32) {
    self.code = code
    self.jumpIfTrue = jumpIfTrue
    self.jumpIfFalse = jumpIfFalse
    self.operand = operand
  }

  /// The width of a load.
  @frozen
  public enum Width: BitwiseCopyable, Hashable, Sendable {
    /// 8 bits (BPF_B).
    case byte
    /// 16 bits in network order (BPF_H).
    case half
    /// 32 bits in network order (BPF_W).
    case word
  }

  /// A condition that compares the accumulator with an unsigned number.
  @frozen
  public enum Condition: BitwiseCopyable, Hashable, Sendable {
    /// The accumulator equals the number (BPF_JEQ).
    case equal(UInt32)
    /// The accumulator is greater than the number (BPF_JGT).
    case greater(UInt32)
  }

  /// Loads the byte, half word or word at an offset of the packet into the accumulator (BPF_LD | BPF_ABS). If these
  /// bytes are beyond the end of the packet, the kernel drops the packet.
  public static func load(_ width: Width, at offset: UInt32) -> Self {
    switch width {
    case .byte: Self(code: 0x30, operand: offset)
    case .half: Self(code: 0x28, operand: offset)
    case .word: Self(code: 0x20, operand: offset)
    }
  }
  /// Loads the packet's length (BPF_LD | BPF_W | BPF_LEN).
  public static var loadLength: Self { Self(code: 0x80, operand: 0) }
  /// Clears the bits of the accumulator that are not set in a mask (BPF_ALU | BPF_AND | BPF_K).
  public static func and(_ mask: UInt32) -> Self { Self(code: 0x54, operand: mask) }
  /// Skips `then` instructions if the condition holds, and skips `else` instructions if it does not hold (BPF_JMP |
  /// BPF_K).
  public static func jump(if condition: Condition, then: UInt8, else other: UInt8) -> Self {
    switch condition {
    case .equal(let value): Self(code: 0x15, jumpIfTrue: then, jumpIfFalse: other, operand: value)
    case .greater(let value): Self(code: 0x25, jumpIfTrue: then, jumpIfFalse: other, operand: value)
    }
  }
  /// Ends the program and truncates the packet to `count` bytes (BPF_RET | BPF_K). With 0, the kernel drops the packet.
  public static func accept(first count: UInt32) -> Self { Self(code: 0x06, operand: count) }
  /// Ends the program and accepts the whole packet.
  public static var accept: Self { accept(first: .max) }
  /// Ends the program and drops the packet.
  public static var drop: Self { accept(first: 0) }
}

extension SocketOption where Value == [BPFInstruction]? {
  /// The filter of received packets. The default, nil, means no filter. The kernel drops packets that the filter does
  /// not accept. A filter does not affect packets that are already in the queue. The C names are `SO_ATTACH_FILTER`
  /// (Linux 2.2), `SO_DETACH_FILTER` and `SO_GET_FILTER` (Linux 3.8).
  ///
  /// A filter consists of 1 to 4096 instructions, and every path through the filter must end with a return instruction.
  /// Setting a filter replaces the previous filter. The call throws `.invalidArgument` if the number of instructions is
  /// 0 or greater than 4096, or if the program fails the kernel's checks; `.permissionDenied` if the filter is locked,
  /// and on TCP sockets of unprivileged processes (measured on Linux 6.18; UDP and Unix sockets require no privilege);
  /// `.outOfMemory` if the filter exceeds net.core.optmem_max. Setting nil throws `.noSuchPath` (ENOENT) if the socket
  /// has no filter. Reading a filter that is an eBPF program throws `.permissionDenied`.
  public static var filter: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> [BPFInstruction]? in try target.filter() },
      write: { (target: RawDescriptor, value: [BPFInstruction]?) throws(SocketError) in
        guard let value else { return try target.setIntegerOption(CSK_SOL_SOCKET, CSK_SO_DETACH_FILTER, 0) }
        try target.setFilter(value)
      })
  }
}

extension SocketOption where Value == Bool {
  /// Whether the filter is locked until the socket is closed. If true, the filter of a socket cannot be changed, and no
  /// filter can be added to a socket that has none. Set this option in a process that passes the socket to a less
  /// trusted process. Setting false throws `.permissionDenied` if the filter is locked. The C name is `SO_LOCK_FILTER`
  /// (Linux 3.9).
  public static var isFilterLocked: Self { Self(flag: CSK_SO_LOCK_FILTER, level: CSK_SOL_SOCKET) }
}

extension RawDescriptor {
  fileprivate func setFilter(_ instructions: [BPFInstruction]) throws(SocketError) {
    guard (1...Int(CSK_BPF_MAXIMUM)).contains(instructions.count) else {
      throw SocketError(code: .invalidArgument, .setOption)
    }
    // The kernel copies `count` instructions of 8 bytes during the call. The array contains this number of
    // instructions.
    let result = unsafe instructions.withUnsafeBytes { bytes in
      var program = unsafe csk_filter_program(count: UInt16(instructions.count), instructions: bytes.baseAddress)
      return unsafe csk_setsockopt(
        value, CSK_SOL_SOCKET, CSK_SO_ATTACH_FILTER, &program, UInt32(MemoryLayout<csk_filter_program>.size))
    }
    if result < 0 { throw SocketError(IOResult(raw: result), .setOption) }
  }

  /// Returns the filter. The kernel measures the buffer in instructions, and the call fails if the buffer is too short.
  fileprivate func filter() throws(SocketError) -> [BPFInstruction]? {
    var room = try filterLength()
    while room > 0 {
      var instructions = [BPFInstruction](repeating: .drop, count: room)
      do throws(SocketError) {
        let count = try readFilter(into: &instructions)
        // There are no instructions if another thread has removed the filter in the meantime.
        return count == 0 ? nil : Array(instructions.prefix(count))
      } catch {
        // The call fails if another thread has set a longer filter in the meantime.
        let now = try filterLength()
        if now <= room { throw error }
        room = now
      }
    }
    return nil
  }

  /// Returns the number of instructions of the filter. If the buffer is empty, the kernel returns only this number.
  private func filterLength() throws(SocketError) -> Int {
    var none: [BPFInstruction] = []
    return try readFilter(into: &none)
  }

  private func readFilter(into instructions: inout [BPFInstruction]) throws(SocketError) -> Int {
    var length = UInt32(instructions.count)
    // The kernel writes at most `length` instructions during the call, and every bit pattern is a valid instruction.
    let result = unsafe instructions.withUnsafeMutableBytes {
      unsafe IOResult(raw: csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_GET_FILTER, $0.baseAddress, &length))
    }
    if result.isFailure { throw SocketError(result, .getOption) }
    return Int(length)
  }
}
