// error: 'descriptor' consumed more than once
import SocketKit

func f(_ descriptor: consuming Descriptor) throws {
  let first = try TCPSocket(adopting: descriptor)
  let second = try TCPSocket(adopting: descriptor)
  _ = first.descriptor
  _ = second.descriptor
}
