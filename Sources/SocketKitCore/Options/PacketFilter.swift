internal import CSocketKit

/// One instruction of a classic BPF program: struct sock_filter of linux/filter.h, in its own layout.
///
/// ```swift
/// // Datagrams whose first payload byte is 0x2a, after UDP's header of 8 bytes; others are dropped.
/// try socket.setFilter([.loadByte(at: 8), .jump(ifEqual: 0x2a, then: 0, else: 1), .accept, .drop])
/// ```
/// What a filter sees begins with the transport's header on UDP and TCP sockets, with the IP header on raw IPv4 ones,
/// and with the link's header on packet sockets.
@frozen
public struct BPFInstruction: BitwiseCopyable, Hashable, Sendable {
  /// The operation (BPF_LD, BPF_JMP …, linux/bpf_common.h).
  public var code: UInt16
  /// How many instructions to skip when the condition holds.
  public var jumpIfTrue: UInt8
  /// How many instructions to skip when it does not.
  public var jumpIfFalse: UInt8
  /// The operand.
  public var operand: UInt32

  @inlinable
  public init(code: UInt16, jumpIfTrue: UInt8 = 0, jumpIfFalse: UInt8 = 0, operand: UInt32) {
    self.code = code
    self.jumpIfTrue = jumpIfTrue
    self.jumpIfFalse = jumpIfFalse
    self.operand = operand
  }

  /// Loads the byte at an offset into the accumulator (BPF_LD | BPF_B | BPF_ABS). Beyond the packet's end the packet is
  /// dropped.
  public static func loadByte(at offset: UInt32) -> Self { Self(code: 0x30, operand: offset) }
  /// Loads 16 bits in network order (BPF_LD | BPF_H | BPF_ABS).
  public static func loadHalf(at offset: UInt32) -> Self { Self(code: 0x28, operand: offset) }
  /// Loads 32 bits in network order (BPF_LD | BPF_W | BPF_ABS).
  public static func loadWord(at offset: UInt32) -> Self { Self(code: 0x20, operand: offset) }
  /// Loads the packet's length (BPF_LD | BPF_W | BPF_LEN).
  public static var loadLength: Self { Self(code: 0x80, operand: 0) }
  /// Takes the bits of a mask from the accumulator (BPF_ALU | BPF_AND | BPF_K).
  public static func and(_ mask: UInt32) -> Self { Self(code: 0x54, operand: mask) }
  /// Skips instructions: `then` many when the accumulator equals the value, otherwise `else` many (BPF_JMP | BPF_JEQ).
  public static func jump(ifEqual value: UInt32, then: UInt8, else other: UInt8) -> Self {
    Self(code: 0x15, jumpIfTrue: then, jumpIfFalse: other, operand: value)
  }
  /// Skips instructions by whether the accumulator is greater than the value, unsigned (BPF_JMP | BPF_JGT).
  public static func jump(ifGreater value: UInt32, then: UInt8, else other: UInt8) -> Self {
    Self(code: 0x25, jumpIfTrue: then, jumpIfFalse: other, operand: value)
  }
  /// Ends: the packet is cut to so many bytes, and dropped with 0 (BPF_RET | BPF_K).
  public static func accept(first count: UInt32) -> Self { Self(code: 0x06, operand: count) }
  /// Ends: the whole packet is taken.
  public static var accept: Self { accept(first: .max) }
  /// Ends: the packet is dropped.
  public static var drop: Self { accept(first: 0) }
}

extension OptionTarget where Self: ~Copyable {
  /// Attaches a filter, in place of one that is there: the kernel drops what it does not accept (SO_ATTACH_FILTER,
  /// Linux 2.2). Packets in the queue already stay.
  ///
  /// - Parameter instructions: 1 to 4096; every path must end in a return.
  /// - Throws: `.invalidArgument` for none, too many, or a program that the kernel's checks refuse;
  ///   `.permissionDenied` when the filter is locked, and on TCP sockets of unprivileged processes (measured on Linux
  ///   6.18; UDP and Unix sockets need no privilege); `.outOfMemory` beyond net.core.optmem_max; `.closed`,
  ///   `.notASocket`.
  public borrowing func setFilter(_ instructions: [BPFInstruction]) throws(SocketError) {
    guard (1...Int(CSK_BPF_MAXIMUM)).contains(instructions.count) else {
      throw SocketError(code: .invalidArgument, .setOption)
    }
    let number = descriptor.value
    let result = instructions.withUnsafeBytes { bytes in
      var program = csk_filter_program(count: UInt16(instructions.count), instructions: bytes.baseAddress)
      return csk_setsockopt(
        number, CSK_SOL_SOCKET, CSK_SO_ATTACH_FILTER, &program, UInt32(MemoryLayout<csk_filter_program>.size))
    }
    if result < 0 { throw SocketError(IOResult(raw: result), .setOption) }
  }

  /// Takes the filter away (SO_DETACH_FILTER).
  /// - Throws: `.noSuchPath` (ENOENT) when there is none, `.permissionDenied` when it is locked, `.closed`.
  public borrowing func removeFilter() throws(SocketError) {
    try descriptor.setIntegerOption(CSK_SOL_SOCKET, CSK_SO_DETACH_FILTER, 0)
  }

  /// Locks the filter, or its absence, for the rest of the socket's life (SO_LOCK_FILTER, Linux 3.9): for a process
  /// that hands the socket to a less trusted one.
  /// - Throws: `.closed`, `.notASocket`.
  public borrowing func lockFilter() throws(SocketError) {
    try descriptor.setIntegerOption(CSK_SOL_SOCKET, CSK_SO_LOCK_FILTER, 1)
  }
}
