/// Computes SHA-256 in Swift (FIPS 180-4, 6.2), for kernels that do not provide it.
public struct PlainSHA256: Sendable {
  private var state: InlineArray<8, UInt32> = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  /// The bytes of an incomplete block, at the start of the array.
  private var pending = InlineArray<64, UInt8>(repeating: 0)
  private var pendingCount = 0
  private var total: UInt64 = 0

  public init() {}

  public mutating func update(_ bytes: Span<UInt8>) {
    total &+= UInt64(bytes.count)
    var rest = bytes
    if pendingCount > 0 {
      let part = rest.extracting(first: 64 - pendingCount)
      append(part)
      rest = rest.extracting(droppingFirst: part.count)
      if pendingCount < 64 { return }
      let block = pending
      compress(block.span)
      pendingCount = 0
    }
    let whole = rest.count / 64 * 64
    compress(rest.extracting(first: whole))
    append(rest.extracting(droppingFirst: whole))
  }

  /// Adds bytes to the incomplete block.
  private mutating func append(_ bytes: Span<UInt8>) {
    for index in bytes.indices {
      pending[pendingCount] = bytes[index]
      pendingCount += 1
    }
  }

  /// Returns the checksum of all bytes so far; more bytes can be added afterwards.
  public func digest() -> SHA256Digest {
    var end = self
    // Padding: a 1 bit, zeros up to the last eight bytes of a block, then the length in bits (5.1.1).
    let zeros = (119 - pendingCount) % 64
    var padding: [UInt8] = [0x80] + [UInt8](repeating: 0, count: zeros)
    let bits = total &* 8
    for shift in stride(from: 56, through: 0, by: -8) { padding.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    end.update(padding.span)
    return SHA256Digest(words: end.state)
  }

  /// Processes whole blocks. This function uses unchecked memory access and wrapping sums because nearly all of the
  /// time is spent here, especially in unoptimized builds.
  private mutating func compress(_ blocks: Span<UInt8>) {
    precondition(blocks.count % 64 == 0)
    // `start` refers to whole blocks of 64 bytes, and `w` and `k` refer to 64 words each. This memory exists until the
    // closures return.
    unsafe blocks.withUnsafeBytes { bytes in
      unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
        unsafe roundConstants.span.withUnsafeBufferPointer { constants in
          guard let start = bytes.baseAddress, let w = schedule.baseAddress, let k = constants.baseAddress else {
            return
          }
          for offset in stride(from: 0, to: bytes.count, by: 64) { unsafe compress(block: start + offset, w, k) }
        }
      }
    }
  }

  // All indices of `w` and `k` are from 0 to 63, and the block has 16 words. The first loop initializes 16 words of
  // `w`, and each step of the second loop initializes one more.
  private mutating func compress(
    block: UnsafeRawPointer, _ w: UnsafeMutablePointer<UInt32>, _ k: UnsafePointer<UInt32>
  ) {
    var t = 0
    while t < 16 {
      unsafe w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: t &* 4, as: UInt32.self))
      t &+= 1
    }
    while t < 64 {
      let x = unsafe w[t &- 15]
      let y = unsafe w[t &- 2]
      let s0 = (x &>> 7 | x &<< 25) ^ (x &>> 18 | x &<< 14) ^ x &>> 3
      let s1 = (y &>> 17 | y &<< 15) ^ (y &>> 19 | y &<< 13) ^ y &>> 10
      unsafe w[t] = w[t &- 16] &+ s0 &+ w[t &- 7] &+ s1
      t &+= 1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    t = 0
    while t < 64 {
      let s1 = (e &>> 6 | e &<< 26) ^ (e &>> 11 | e &<< 21) ^ (e &>> 25 | e &<< 7)
      let choice = (e & f) ^ (~e & g)
      let first = unsafe h &+ s1 &+ choice &+ k[t] &+ w[t]
      let s0 = (a &>> 2 | a &<< 30) ^ (a &>> 13 | a &<< 19) ^ (a &>> 22 | a &<< 10)
      let majority = (a & b) ^ (a & c) ^ (b & c)
      h = g
      g = f
      f = e
      e = d &+ first
      d = c
      c = b
      b = a
      a = first &+ s0 &+ majority
      t &+= 1
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }
}

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2).
private let roundConstants: [UInt32] = [
  0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
  0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
  0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
  0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
  0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
  0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
  0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
  0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
]
