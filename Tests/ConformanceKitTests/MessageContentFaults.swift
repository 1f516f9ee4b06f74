import Glibc
import SocketKit
import Synchronization

// Faults of message transports in what they give, and in the sockets that they make.

enum DoublesMessages: MessageFault {
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult {
    _ = base(bytes, ancillary, address, flags)
    return base(bytes, ancillary, address, flags)
  }
}

enum ScribblesBehindTheMessage: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    if result.raw >= 0 && result.raw < buffer.count { buffer[result.raw] = 0 }
    return result
  }
}

enum InventsFlags: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    if result.raw >= 0 { info.flags.insert(.ancillaryTruncated) }
    return result
  }
}

/// Gives descriptors that a new program inherits.
enum InheritsDescriptors: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    let received = ancillary.bytes.extracting(first: min(info.ancillaryLength, ancillary.byteCount))
    AncillaryData.forEach(in: received) { _, type, data in
      for offset in stride(from: 0, to: data.byteCount, by: 4) where type == 1 {
        _ = fcntl(data.integer(at: offset, as: Int32.self), F_SETFD, 0)
      }
    }
    return result
  }
}

/// Forgets one of the descriptors that there was no room for.
enum LeaksOneOfTheSurplus: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    if result.raw >= 0 && info.flags.contains(.ancillaryTruncated) { Leaks.add(dup(0)) }
    return result
  }
}

enum MessagesForgetCloseOnExec: MessageFault {
  static func made(_ descriptor: RawDescriptor) { _ = fcntl(descriptor.value, F_SETFD, 0) }
}

enum MessagesMistakeThePeer: MessageFault {
  static var mistakesThePeer: Bool { true }
}

/// Leaves a copy of each socket's descriptor open.
enum LeaksMessageDescriptor: MessageFault {
  static func made(_ descriptor: RawDescriptor) { Leaks.add(dup(descriptor.value)) }
}

/// The same fault, for packets that carry descriptors instead of credentials.
enum Carrying<Fault: MessageFault>: MessageFault {
  static var tellsTheEnd: Bool { false }
  static var mayReceiveDescriptors: Bool { Fault.mayReceiveDescriptors }
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult { Fault.receive(&buffer, &ancillary, flags, &info, base) }
}
