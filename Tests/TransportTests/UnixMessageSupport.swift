import Glibc
import SocketKit
import TestSupport
import Testing

/// All kinds of Unix sockets that pass descriptors: what a test asks of each.
protocol PassingSocket: Transport, KernelSocket, ~Copyable where Address == UnixAddress, Options == UnixSocketOptions {}
extension UnixStreamSocket: PassingSocket {}
extension UnixSequencedPacketSocket: PassingSocket {}
extension UnixDatagramSocket: PassingSocket {}

let patience = Duration.seconds(10)

/// A file without a name, holding the text.
func makeFile(_ text: String) -> Int32 { Files.unnamed(holding: Array(text.utf8)) }

/// What a descriptor's file holds.
func content(_ number: RawDescriptor) -> String {
  var bytes = [UInt8](repeating: 0, count: 200)
  // The kernel writes at most the size of the array, during the call.
  let count = unsafe pread(number.value, &bytes, bytes.count, 0)
  return count < 0 ? "unreadable" : String(decoding: bytes.prefix(count), as: UTF8.self)
}

/// Whether two descriptors name one open file's inode.
func sameFile(_ a: RawDescriptor, _ b: RawDescriptor) -> Bool {
  var first = stat()
  var second = stat()
  // The kernel fills the structures during the calls.
  guard unsafe fstat(a.value, &first) == 0, unsafe fstat(b.value, &second) == 0 else { return false }
  return first.st_ino == second.st_ino && first.st_dev == second.st_dev
}

func isCloseOnExec(_ number: RawDescriptor) -> Bool { fcntl(number.value, F_GETFD) & FD_CLOEXEC != 0 }

/// The code and the operation of what the body throws; nil when it does not throw.
func failure(_ body: () throws(SocketError) -> Void) -> SocketError? {
  do throws(SocketError) {
    try body()
    return nil
  } catch {
    return error
  }
}

func endpointFailure(_ body: () throws(SocketError) -> Void) -> SocketError.Code? {
  do throws(SocketError) {
    try body()
    return nil
  } catch {
    return error.code
  }
}

/// Sends `numbers`, receives them with room for `capacity`, and gives the body what came. Counts descriptors around it.
func pass<S: PassingSocket & ~Copyable, let capacity: Int>(
  _ numbers: [Int32], from sender: borrowing S, to receiver: borrowing S, room: ReceivedDescriptors<capacity>.Type,
  _ body: (inout ReceivedDescriptors<capacity>) throws -> Void = { _ in }
) throws {
  let before = openDescriptors()
  do {
    let raw = numbers.map { RawDescriptor($0) }
    let sent = try sender.sendDescriptors(raw.span, with: [1, 2, 3].span, until: .after(patience))
    #expect(sent == 3)
    #expect(openDescriptors() == before, "sending opens nothing")
    var buffer = [UInt8](repeating: 0, count: 8)
    var received = ReceivedDescriptors<capacity>()
    let outcome = try receiver.receiveDescriptors(&received, into: buffer.mutableSpan, until: .after(patience))
    #expect(outcome == .bytes(3))
    #expect(buffer == [1, 2, 3, 0, 0, 0, 0, 0])
    let (count, surplus) = (received.count, received.surplus)
    #expect(count == min(capacity, numbers.count) && surplus == max(0, numbers.count - capacity))
    #expect(openDescriptors().count == before.count + count, "the surplus is closed")
    for index in 0..<count {
      let number = received[index]
      #expect(sameFile(number, raw[index]) && isCloseOnExec(number) && !before.contains(number.value))
    }
    try body(&received)
  }
  #expect(openDescriptors() == before, "what was not taken is closed")
}
