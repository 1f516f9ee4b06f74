internal import CSocketKit

/// One instruction of a classic BPF program, in the layout of struct sock_filter of linux/filter.h.
///
/// ```swift
/// // Accepts datagrams whose first payload byte, after UDP's header of 8 bytes, is 0x2a; drops others.
/// try socket.setFilter([.loadByte(at: 8), .jump(ifEqual: 0x2a, then: 0, else: 1), .accept, .drop])
/// ```
/// The data of a filter begins with the transport's header on UDP and TCP sockets, with the IP header on raw IPv4
/// sockets, and with the link's header on packet sockets.
@frozen
public struct BPFInstruction: BitwiseCopyable, Hashable, Sendable {
  /// The operation (BPF_LD, BPF_JMP …, linux/bpf_common.h).
  public var code: UInt16
  /// The number of instructions to skip when the condition holds.
  public var jumpIfTrue: UInt8
  /// The number of instructions to skip when the condition does not hold.
  public var jumpIfFalse: UInt8
  /// The operand.
  public var operand: UInt32

  /// Creates an instruction from the fields of struct sock_filter. The kernel checks the program when it is attached.
  @inlinable
  public init(code: UInt16, jumpIfTrue: UInt8 = 0, jumpIfFalse: UInt8 = 0, operand: UInt32) {
    self.code = code
    self.jumpIfTrue = jumpIfTrue
    self.jumpIfFalse = jumpIfFalse
    self.operand = operand
  }

  /// Loads the byte at an offset into the accumulator (BPF_LD | BPF_B | BPF_ABS). If the offset is beyond the packet's
  /// end, the packet is dropped.
  public static func loadByte(at offset: UInt32) -> Self { Self(code: 0x30, operand: offset) }
  /// Loads 16 bits in network order (BPF_LD | BPF_H | BPF_ABS).
  public static func loadHalf(at offset: UInt32) -> Self { Self(code: 0x28, operand: offset) }
  /// Loads 32 bits in network order (BPF_LD | BPF_W | BPF_ABS).
  public static func loadWord(at offset: UInt32) -> Self { Self(code: 0x20, operand: offset) }
  /// Loads the packet's length (BPF_LD | BPF_W | BPF_LEN).
  public static var loadLength: Self { Self(code: 0x80, operand: 0) }
  /// Keeps only the bits of a mask in the accumulator (BPF_ALU | BPF_AND | BPF_K).
  public static func and(_ mask: UInt32) -> Self { Self(code: 0x54, operand: mask) }
  /// Skips `then` instructions when the accumulator equals the value, otherwise `else` instructions (BPF_JMP |
  /// BPF_JEQ).
  public static func jump(ifEqual value: UInt32, then: UInt8, else other: UInt8) -> Self {
    Self(code: 0x15, jumpIfTrue: then, jumpIfFalse: other, operand: value)
  }
  /// Skips `then` instructions when the accumulator is greater than the value, otherwise `else` instructions. The
  /// comparison is unsigned (BPF_JMP | BPF_JGT).
  public static func jump(ifGreater value: UInt32, then: UInt8, else other: UInt8) -> Self {
    Self(code: 0x25, jumpIfTrue: then, jumpIfFalse: other, operand: value)
  }
  /// Ends the program and truncates the packet to `count` bytes; 0 drops it (BPF_RET | BPF_K).
  public static func accept(first count: UInt32) -> Self { Self(code: 0x06, operand: count) }
  /// Ends the program and accepts the whole packet.
  public static var accept: Self { accept(first: .max) }
  /// Ends the program and drops the packet.
  public static var drop: Self { accept(first: 0) }
}

extension OptionTarget where Self: ~Copyable {
  /// Attaches a filter and replaces an existing one. The kernel drops packets that the filter does not accept
  /// (SO_ATTACH_FILTER, Linux 2.2). Packets that are already in the queue stay there.
  ///
  /// - Parameter instructions: 1 to 4096; every path must end in a return.
  /// - Throws: `.invalidArgument` for no instructions, too many, or a program that fails the kernel's checks;
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

  /// Removes the filter (SO_DETACH_FILTER).
  /// - Throws: `.noSuchPath` (ENOENT) when there is none, `.permissionDenied` when it is locked, `.closed`.
  public borrowing func removeFilter() throws(SocketError) {
    try descriptor.setIntegerOption(CSK_SOL_SOCKET, CSK_SO_DETACH_FILTER, 0)
  }

  /// Locks the filter, or its absence, until the socket's life ends (SO_LOCK_FILTER, Linux 3.9). Use it in a process
  /// that passes the socket to a less trusted one.
  /// - Throws: `.closed`, `.notASocket`.
  public borrowing func lockFilter() throws(SocketError) {
    try descriptor.setIntegerOption(CSK_SOL_SOCKET, CSK_SO_LOCK_FILTER, 1)
  }
}
