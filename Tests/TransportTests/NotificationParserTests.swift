import SocketKit
import Testing

/// The reading of notifications and of what belongs to messages, without a kernel.
@Suite struct NotificationParserTests {
  /// A notification's header and fixed part of zeros, with the length that it says of itself.
  private func bytes(_ type: UInt16, _ count: Int, says length: Int? = nil) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(8, count))
    bytes.put(type, at: 0)
    bytes.put(UInt32(length ?? count), at: 4)
    return Array(bytes.prefix(count))
  }

  private static let fixed: [(UInt16, Int)] = [
    (0x8001, 20), (0x8002, 148), (0x8003, 48), (0x8004, 16), (0x8005, 12), (0x8006, 24), (0x8007, 16), (0x8008, 20),
    (0x8009, 12), (0x800a, 12), (0x800b, 20), (0x800c, 16), (0x800d, 32),
  ]

  @Test(arguments: fixed) func eachTypeNeedsItsFixedPart(_ type: UInt16, _ length: Int) {
    for count in 0..<length {
      let cut = SCTPNotification(bytes(type, count, says: length).span)
      #expect(cut == .unknown(type: count < 2 ? 0 : type))
      let lying = SCTPNotification(bytes(type, length, says: count).span)
      #expect(lying == .unknown(type: type))
    }
    let whole = SCTPNotification(bytes(type, length).span)
    #expect(whole.association == .future && whole != .unknown(type: type))
  }

  @Test func otherTypesAreUnknown() {
    for type: UInt16 in [0, 1, 0x8000, 0x800e, 0xffff] {
      #expect(SCTPNotification(bytes(type, 148).span) == .unknown(type: type))
    }
    #expect(SCTPNotification(Span()) == .unknown(type: 0))
  }

  @Test func statesBeyondTheKnownAreUnknown() {
    var change = bytes(0x8001, 20)
    change[8] = 5
    #expect(SCTPNotification(change.span) == .unknown(type: 0x8001))
    var address = bytes(0x8002, 148)
    address[136] = 7
    #expect(SCTPNotification(address.span) == .unknown(type: 0x8002))
    var key = bytes(0x8008, 20)
    key[12] = 3
    #expect(SCTPNotification(key.span) == .unknown(type: 0x8008))
  }

  @Test func whatIsMissingIsCounted() {
    for (count, says) in [(20, 20), (27, 27), (23, 27), (27, 20), (20, 4096)] {
      guard case .associationChange(let change) = SCTPNotification(bytes(0x8001, count, says: says).span) else {
        Issue.record("\(count) bytes that say \(says)")
        continue
      }
      #expect(change.causes.range == 20..<min(count, says) && change.causes.missing == max(0, says - count))
    }
  }

  @Test func causesAreWalkedWithinTheirLengths() {
    func walk(_ bytes: [UInt8]) -> [String] {
      var seen: [String] = []
      SCTPErrorCause.forEach(in: bytes.span) { cause, data in seen.append("\(cause) \(data.count)") }
      return seen
    }
    #expect(walk([]) == [] && walk([0, 12, 0]) == [] && walk([0, 12, 0, 3]) == [] && walk([0, 12, 0, 5]) == [])
    #expect(walk([0, 12, 0, 7, 98, 121, 101]) == ["user abort 3"])
    #expect(walk([0, 12, 0, 5, 98, 0, 0, 0, 0, 1, 0, 8, 0, 5, 0, 0]) == ["user abort 1", "invalid stream 4"])
    #expect(SCTPErrorCause.reason(in: [0, 12, 0, 4 as UInt8].span) == [])
    #expect(SCTPErrorCause.reason(in: [0, 1, 0, 4 as UInt8].span) == nil)
    #expect(SCTPErrorCause(rawValue: 99).description == "cause 99")
  }

  /// What is sent with a message says to a receiver what it said here.
  @Test func infosAreInTheNetworksOrder() throws {
    var info = SCTPSendInfo(stream: 3, payloadProtocol: 0x0102_0304, association: SCTPAssociationID(rawValue: 9))
    info.isUnordered = true
    info.expiry = .after(.milliseconds(20))
    info.key = 5
    var ancillary = AncillaryBuffer<80>()
    try info.encode(into: &ancillary)
    #expect(ancillary.byteCount == SCTPSendInfo.ancillaryLength)
    var seen: [Int32] = []
    AncillaryData.forEach(in: ancillary.bytes) { level, type, data in
      seen.append(type)
      if type == 2 {
        let bytes = data.array
        #expect(level == 132 && bytes == [3, 0, 1, 0, 1, 2, 3, 4, 0, 0, 0, 0, 9, 0, 0, 0])
      }
    }
    #expect(seen == [2, 5, 6])
    #expect(SCTPReceiveInfo(ancillary: RawSpan()) == nil && SCTPNextInfo(ancillary: RawSpan()) == nil)
  }

  /// The data of the ancillary message that says when a message expires: policy, and a number.
  private func expiry(_ info: SCTPSendInfo) throws -> (policy: UInt16, value: UInt32)? {
    var ancillary = AncillaryBuffer<80>()
    try info.encode(into: &ancillary)
    var found: (UInt16, UInt32)?
    AncillaryData.forEach(in: ancillary.bytes) { level, type, data in
      guard level == 132, type == 5, data.byteCount == 8 else { return }
      found = (data.integer(as: UInt16.self), data.integer(at: 4, as: UInt32.self))
    }
    return found
  }

  /// Without the ancillary message the kernel would take the socket's default.
  @Test func aMessageThatNeverExpiresSaysSo() throws {
    let never = try #require(try expiry(SCTPSendInfo()))
    #expect(never.policy == 0 && never.value == 0)
  }

  @Test func timesAreNotAMillisecondMore() throws {
    for time in [1, 295_151, 4_294_967_295] as [Int64] {
      var info = SCTPSendInfo()
      info.expiry = .after(.milliseconds(time))
      let seen = try #require(try expiry(info))
      #expect(seen.policy == 0x10 && Int64(seen.value) == time)
      info.expiry = .after(.milliseconds(time) - .nanoseconds(1))
      #expect(try expiry(info)?.value == UInt32(time))
    }
    let ends: [(Duration, UInt32)] = [
      (.zero, 1), (.seconds(-9), 1), (.seconds(Int64.min), 1), (.seconds(Int64.max), .max),
      (.milliseconds(1 << 32), .max),
    ]
    for (time, value) in ends {
      var info = SCTPSendInfo()
      info.expiry = .after(time)
      #expect(try expiry(info)?.value == value, "\(time)")
    }
  }

  /// E, B and U of a DATA chunk, not the flags that a message is sent with.
  @Test func aFailedSendCarriesTheFlagsOfItsChunk() {
    for (type, length, offset) in [(0x800d, 32, 14), (0x8003, 48, 16)] as [(UInt16, Int, Int)] {
      for flags in 0..<16 as Range<UInt8> {
        var notification = bytes(type, length)
        notification[offset] = flags
        guard case .sendFailed(let failure) = SCTPNotification(notification.span) else {
          Issue.record("\(type)")
          continue
        }
        #expect(failure.isLastFragment == (flags & 1 != 0) && failure.isFirstFragment == (flags & 2 != 0))
        #expect(failure.info.isUnordered == (flags & 4 != 0))
      }
    }
  }

  @Test func anAbortedDeliverySaysWhoseMessageItWas() {
    var notification = bytes(0x8006, 24)
    notification[2] = 1
    notification[16] = 7
    notification[20] = 9
    guard case .partialDelivery(let event) = SCTPNotification(notification.span) else {
      Issue.record("no partial delivery")
      return
    }
    #expect(event.isAborted && event.isUnordered && event.stream == 7 && event.sequence == 9)
  }
}
