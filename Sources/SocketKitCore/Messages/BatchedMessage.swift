public import CSocketKit

extension MessageBatch {
  /// One message of a batch. The value refers to the memory of the batch and does not copy the message.
  // Safe: the pointers refer to one slot, whose number the batch has checked. The value borrows the batch, which owns
  // the memory. The lengths are at most the sizes of the slot's buffers.
  @safe @frozen
  public struct Message: ~Copyable, ~Escapable {
    @usableFromInline let header: UnsafePointer<csk_mmsghdr>
    @usableFromInline let vector: UnsafePointer<csk_iovec>
    @usableFromInline let place: UnsafePointer<AnySocketAddress>
    @usableFromInline let ancillaryStart: UnsafeRawPointer
    @usableFromInline let ancillaryLength: Int

    @inlinable @inline(__always)
    @_lifetime(borrow batch)
    init(_ batch: borrowing MessageBatch, _ slot: Int) {
      unsafe header = UnsafePointer(batch.headers + slot)
      unsafe vector = UnsafePointer(batch.vectors + slot)
      unsafe place = UnsafePointer(batch.addresses + slot)
      unsafe ancillaryStart = UnsafeRawPointer(batch.ancillary + slot &* batch.ancillaryCapacity)
      ancillaryLength = unsafe batch.ancillaryLengths[slot]
    }
  }

  /// The message in a slot. Slots are numbered from 0. Traps if the number is negative or not less than ``count``.
  @inlinable
  public subscript(slot: Int) -> Message {
    @_lifetime(borrow self)
    get {
      check(slot)
      return Message(self, slot)
    }
  }
}

extension MessageBatch.Message {
  /// The number of bytes of the message that the batch contains, at most ``MessageBatch/messageCapacity``.
  @inlinable public var byteCount: Int { unsafe vector.pointee.length }
  /// The bytes of the message that the batch contains.
  @inlinable public var bytes: Span<UInt8> {
    @_lifetime(copy self)
    get {
      let memory = unsafe UnsafeRawBufferPointer(start: vector.pointee.base, count: vector.pointee.length)
      return unsafe _overrideLifetime(Span<UInt8>(_unsafeBytes: memory), copying: self)
    }
  }
  /// The ancillary data of the message: see `metadata` and ``AncillaryData``.
  @inlinable public var ancillary: RawSpan {
    @_lifetime(copy self)
    get {
      let memory = unsafe UnsafeRawBufferPointer(start: ancillaryStart, count: ancillaryLength)
      return unsafe _overrideLifetime(RawSpan(_unsafeBytes: memory), copying: self)
    }
  }

  /// The full length of the message in bytes, even if the batch contains only the first bytes of the message.
  @inlinable public var fullLength: Int { unsafe Int(header.pointee.length) }
  /// The flags that recvmmsg(2) reported for the message.
  @inlinable public var flags: MessageInfo.Flags { unsafe MessageInfo.Flags(reported: header.pointee.message.flags) }
  /// The sender of a received message, or the receiver of a message to send. The address is empty if the kernel did not
  /// report a sender (``MessageInfo/address``), or if the program added the message without an address.
  @inlinable public var address: AnySocketAddress {
    // The kernel writes the length of the address into the message header, not into the address itself.
    var address = unsafe place.pointee
    unsafe address.setLength(UInt32(bitPattern: header.pointee.message.name_length))
    return address
  }
  /// The lengths, the flags and the address that the kernel reported for the message.
  @inlinable public var info: MessageInfo {
    var info = MessageInfo()
    info.length = fullLength
    info.ancillaryLength = ancillaryLength
    info.flags = flags
    info.address = address
    return info
  }

  /// The size in bytes of each datagram in a message that the kernel has coalesced (UDP_GRO) or will split
  /// (UDP_SEGMENT); nil if the message is one datagram. `bytes.forEachDatagram(segmentSize:_:)` separates the
  /// datagrams.
  @inlinable public var segmentSize: Int? {
    var size: Int?
    AncillaryData.forEach(in: ancillary) { level, type, data in
      guard level == CSK_IPPROTO_UDP else { return }
      if type == CSK_UDP_GRO, data.byteCount >= 4 { size = Int(data.integer(as: Int32.self)) }
      if type == CSK_UDP_SEGMENT, data.byteCount >= 2 { size = Int(data.integer(as: UInt16.self)) }
    }
    return size
  }
}
