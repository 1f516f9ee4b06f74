// Notifications of SCTP and what comes beside messages, against any bytes: nothing may be read beyond them, what they
// say of themselves must hold together, and what was encoded must be read back the same.
import FuzzDriver
import SocketKitCore
import SocketKitSCTP

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSCTP(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  let message = UnsafeBufferPointer(start: data, count: count).span
  let bytes = message.bytes
  readNotification(message)
  // A program's buffer need not be aligned.
  if count > 0 { readNotification(message.extracting(droppingFirst: 1)) }
  readCauses(message)
  readInfos(bytes)
  encode(bytes)
  return 0
}

/// The lengths of the fixed parts, from type 0x8001 on.
private let fixedLengths = [20, 148, 48, 16, 12, 24, 16, 20, 12, 12, 20, 16, 32]

private func readNotification(_ bytes: Span<UInt8>) {
  let notification = SCTPNotification(bytes)
  require(notification == SCTPNotification(bytes), "two readings differ")
  let plain = copy(bytes.bytes)
  let type = plain.count < 2 ? 0 : Int(number(plain[0..<2]))
  let length = plain.count < 8 ? 0 : Int(number(plain[4..<8]))
  let index = type - 0x8001
  let isWhole =
    fixedLengths.indices.contains(index) && length >= fixedLengths[index] && plain.count >= fixedLengths[index]
  if case .unknown(let seen) = notification {
    require(Int(seen) == type, "type \(seen) for \(type)")
    // Known types may still have unknown states.
    require(!isWhole || [0, 1, 7].contains(index), "a whole notification of type \(type) is unknown")
    require(notification.association == nil, "an unknown one has an association")
    return
  }
  require(isWhole, "a notification out of \(plain.count) bytes of type \(type) that say \(length)")
  let fixed = fixedLengths[index]
  func check(_ rest: SCTPNotificationBytes) {
    let there = min(plain.count, length) - fixed
    require(rest.range == fixed..<fixed + there, "\(rest.range) of \(plain.count), which say \(length)")
    require(rest.missing == length - fixed - there, "\(rest.missing) are missing")
    require(rest.isEmpty == (there == 0), "emptiness")
  }
  switch notification {
  case .associationChange(let change):
    check(change.causes)
    _ = (change.isEnd, change.cause.description)
    let causes = bytes.extracting(change.causes.range)
    readCauses(causes)
  case .remoteError(let error): check(error.data)
  case .sendFailed(let failure): check(failure.payload)
  case .streamReset(let reset):
    check(reset.streams)
    require(reset.streamNumbers(in: bytes).count == reset.streams.range.count / 2, "stream numbers")
  case .peerAddressChange(let change): _ = change.address?.description
  default: break
  }
  require(notification.association != nil, "no association")
}

private func readCauses(_ bytes: Span<UInt8>) {
  var found: [(UInt16, [UInt8])] = []
  SCTPErrorCause.forEach(in: bytes) { cause, data in found.append((cause.rawValue, copy(data.bytes))) }
  // RFC 9260, 3.3.10, read with checked array accesses only.
  var wanted: [(UInt16, [UInt8])] = []
  var rest = copy(bytes.bytes)[...]
  while rest.count >= 4 {
    let head = Array(rest.prefix(4))
    let length = Int(head[2]) << 8 | Int(head[3])
    guard length >= 4, length <= rest.count else { break }
    wanted.append((UInt16(head[0]) << 8 | UInt16(head[1]), Array(rest.prefix(length).dropFirst(4))))
    rest = rest.dropFirst((length + 3) / 4 * 4)
  }
  require(found.count == wanted.count && zip(found, wanted).allSatisfy { $0 == $1 }, "causes \(found), not \(wanted)")
  require(SCTPErrorCause.reason(in: bytes) == wanted.first { $0.0 == 12 }?.1, "the reason")
}

private func readInfos(_ ancillary: RawSpan) {
  var received: [UInt8]?
  var next: [UInt8]?
  AncillaryData.forEach(in: ancillary) { level, type, data in
    if level == 132, type == 3 { received = copy(data) }
    if level == 132, type == 4 { next = copy(data) }
  }
  let info = SCTPReceiveInfo(ancillary: ancillary)
  require((info != nil) == (received.map { $0.count >= 28 } ?? false), "an info of \(String(describing: received))")
  if let info, let received {
    require(UInt64(info.stream) == number(received[0..<2]), "the stream")
    require(UInt64(info.payloadProtocol) == number(Array(received[8..<12].reversed())[...]), "the payload protocol")
    require(info.association.rawValue == Int32(truncatingIfNeeded: number(received[24..<28])), "the association")
    require(info.isUnordered == (received[4] & 1 == 1), "the order")
  }
  let behind = SCTPNextInfo(ancillary: ancillary)
  require((behind != nil) == (next.map { $0.count >= 16 } ?? false), "a next info of \(String(describing: next))")
  if let behind, let next { require(UInt64(behind.length) == number(next[8..<12]), "the length") }
}

/// A send failure brings back what a message was sent with.
private func encode(_ bytes: RawSpan) {
  guard bytes.byteCount >= 16 else { return }
  let flags = bytes.unsafeLoad(as: UInt8.self)
  var info = SCTPSendInfo(
    stream: bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt16.self),
    payloadProtocol: bytes.unsafeLoadUnaligned(fromByteOffset: 3, as: UInt32.self),
    association: SCTPAssociationID(rawValue: bytes.unsafeLoadUnaligned(fromByteOffset: 7, as: Int32.self)))
  info.isUnordered = flags & 1 != 0
  info.context = bytes.unsafeLoadUnaligned(fromByteOffset: 11, as: UInt32.self)
  let plain = info
  let lifetime = Duration.milliseconds(Int64(bytes.unsafeLoadUnaligned(fromByteOffset: 12, as: Int32.self)))
  if flags & 2 != 0 { info.expiry = .after(lifetime) }
  if flags & 4 != 0 { info.key = UInt16(flags) }
  var ancillary = AncillaryBuffer<80>()
  do throws(SocketError) {
    try info.encode(into: &ancillary)
  } catch {
    fatalError("no room for an info: \(error)")
  }
  var types: [Int32] = []
  AncillaryData.forEach(in: ancillary.bytes) { level, type, data in
    types.append(type)
    if type != 2 { return }
    // sndinfo and association as a send failure has them.
    var failure: [UInt8] = [0x0d, 0x80, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0]
    failure += copy(data) + copy(data.extracting(12..<16))
    // With a chunk's flags instead of a message's.
    require(failure[14] == (plain.isUnordered ? 1 : 0) && failure[15] == 0, "flags")
    failure[14] = plain.isUnordered ? 4 : 0
    let read = SCTPNotification(failure.span)
    guard case .sendFailed(let seen) = read else { fatalError("\(read)") }
    require(seen.info == plain && level == 132, "\(seen.info) for \(plain)")
  }
  let wanted: [Int32] = [2, 5] + (flags & 4 != 0 ? [6] : [])
  require(types == wanted, "types \(types)")
}

private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

private func copy(_ bytes: RawSpan) -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }

// SwiftPM renames the entry point of an executable target to <module>_main.
@_cdecl("fuzz_sctp_main")
public func main(_ argc: Int32, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  drive(argc, argv, { fuzzSCTP($0, $1) })
}
