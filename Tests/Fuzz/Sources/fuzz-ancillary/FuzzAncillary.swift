// Ancillary messages against any bytes: nothing may be read beyond them, what is found must be what a plain reading of
// cmsg(3) finds, and what was built must be read back the same.
import FuzzDriver
import SocketKitCore
import SocketKitIP

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAncillary(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  let bytes = UnsafeRawBufferPointer(start: data, count: count).bytes
  read(bytes)
  // Ancillary data need not be aligned where a program keeps them.
  if count > 0 { read(bytes.extracting(droppingFirst: 1)) }
  buildMessages(bytes)
  buildMetadata(bytes)
  return 0
}

/// An ancillary message, copied.
private struct Message: Equatable {
  var level: Int32
  var type: Int32
  var data: [UInt8]
}

private func read(_ ancillary: RawSpan) {
  let found = messages(in: ancillary)
  let wanted = plainReading(copy(ancillary))
  require(found == wanted, "found \(found), but there is \(wanted)")
  let metadata = PacketMetadata(ancillary: ancillary)
  require(metadata == PacketMetadata(ancillary: ancillary), "two readings differ")
  let isCoalesced = found.contains { $0.level == 17 && $0.type == 104 }
  require(isCoalesced || metadata.segmentSize == nil, "a segment size out of nothing")
  require(metadata.ecn.map { $0 < 4 } ?? true && metadata.dscp.map { $0 < 64 } ?? true, "too many bits")
  if let error = metadata.error { _ = (error.classification, error.offender?.description) }
  if let error = ExtendedError(ancillary) {
    require(ancillary.byteCount >= 16, "an error of too few bytes")
    _ = (error.classification, error.offender?.description)
  }
}

private func messages(in ancillary: RawSpan) -> [Message] {
  var found: [Message] = []
  AncillaryData.forEach(in: ancillary) { level, type, data in
    found.append(Message(level: level, type: type, data: copy(data)))
  }
  return found
}

/// cmsg(3) read with checked array accesses only.
private func plainReading(_ bytes: [UInt8]) -> [Message] {
  var found: [Message] = []
  var rest = bytes[...]
  while rest.count >= 16 {
    let length = number(rest.prefix(8))
    guard length >= 16, length <= UInt64(rest.count) else { break }
    let level = Int32(truncatingIfNeeded: number(rest.dropFirst(8).prefix(4)))
    let type = Int32(truncatingIfNeeded: number(rest.dropFirst(12).prefix(4)))
    found.append(Message(level: level, type: type, data: Array(rest.dropFirst(16).prefix(Int(length) - 16))))
    rest = rest.dropFirst((Int(length) + 7) / 8 * 8)
  }
  return found
}

private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

/// Builds messages out of the bytes, one after the other until there is no room, and reads them back.
private func buildMessages(_ bytes: RawSpan) {
  var ancillary = AncillaryBuffer<256>()
  var built: [Message] = []
  var offset = 0
  while bytes.byteCount - offset >= 3 {
    let level = Int32(bytes.unsafeLoad(fromByteOffset: offset, as: Int8.self))
    let type = Int32(bytes.unsafeLoad(fromByteOffset: offset + 1, as: Int8.self))
    let length = min(Int(bytes.unsafeLoad(fromByteOffset: offset + 2, as: UInt8.self)), bytes.byteCount - offset - 3)
    let data = bytes.extracting(offset + 3..<offset + 3 + length)
    offset += 3 + length
    let before = ancillary.byteCount
    let space = 16 + (length + 7) / 8 * 8
    do throws(SocketError) {
      try ancillary.append(level: level, type: type, data)
      built.append(Message(level: level, type: type, data: copy(data)))
      require(ancillary.byteCount == before + space, "a message takes \(ancillary.byteCount - before), not \(space)")
    } catch {
      require(error.code == .capacityExceeded && before + space > 256, "no room: \(error)")
      require(ancillary.byteCount == before, "a refused message left something behind")
    }
  }
  read(ancillary.bytes)
  let again = messages(in: ancillary.bytes)
  require(again == built, "built \(built), read \(again)")
  ancillary.removeAll()
  require(messages(in: ancillary.bytes).isEmpty, "emptied, but there is something")
}

/// What one packet is asked to be, encoded, is what a receiver's ancillary data would say of it.
private func buildMetadata(_ bytes: RawSpan) {
  guard bytes.byteCount >= 24 else { return }
  let flags = bytes.unsafeLoad(as: UInt8.self)
  var wanted = OutgoingMetadata()
  if flags & 1 != 0 { wanted.hopLimit = bytes.unsafeLoad(fromByteOffset: 1, as: UInt8.self) }
  if flags & 2 != 0 { wanted.trafficClass = bytes.unsafeLoad(fromByteOffset: 2, as: UInt8.self) }
  if flags & 4 != 0 { wanted.interfaceIndex = bytes.unsafeLoadUnaligned(fromByteOffset: 3, as: UInt32.self) }
  if flags & 8 != 0 { wanted.segmentSize = bytes.unsafeLoadUnaligned(fromByteOffset: 7, as: UInt16.self) }
  let six = IPv6Address(
    high: bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self),
    low: bytes.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt64.self))
  if flags & 16 != 0 { wanted.source = .v6(six) }
  for family in [AddressFamily.ipv4, .ipv6] {
    var ancillary = AncillaryBuffer<128>()
    do throws(SocketError) {
      try wanted.encode(
        into: &ancillary, for: family == .ipv4 ? .loopback(port: 1) : .loopbackIPv6(port: 1))
      require(isSendable(wanted.source, by: family), "took the source of another IP version")
    } catch {
      require(error.code == .invalidArgument && !isSendable(wanted.source, by: family), "refused: \(error)")
      continue
    }
    let said = ancillary.metadata
    require(said.hopLimit == wanted.hopLimit && said.trafficClass == wanted.trafficClass, "\(said) for \(wanted)")
    require(said.interfaceIndex == wanted.interfaceIndex, "\(said) for \(wanted)")
    if family == .ipv6, wanted.source != nil {
      let scope = six.isLinkLocal ? wanted.interfaceIndex : 0
      require(said.destination == IPSocketAddress(six, port: 0, scopeID: scope), "\(said) for \(wanted)")
    }
    let segments = messages(in: ancillary.bytes).filter { $0.level == 17 && $0.type == 103 }
    require(segments.map { number($0.data[...]) } == wanted.segmentSize.map { [UInt64($0)] } ?? [], "segment size")
  }
}

/// A packet of one IP version cannot come from an address of the other; a mapped address is an IPv4 address.
private func isSendable(_ source: IPAddress?, by family: AddressFamily) -> Bool {
  switch source?.unmapped {
  case nil: true
  case .v4: family == .ipv4
  case .v6: family == .ipv6
  }
}

private func copy(_ bytes: RawSpan) -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }

// SwiftPM renames the entry point of an executable target to <module>_main.
@_cdecl("fuzz_ancillary_main")
public func main(_ argc: Int32, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  drive(argc, argv, { fuzzAncillary($0, $1) })
}
