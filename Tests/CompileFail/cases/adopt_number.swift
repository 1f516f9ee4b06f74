// error: cannot convert value of type 'RawDescriptor' to expected argument type 'Descriptor'
import SocketKit

func f() throws {
  _ = try TCPSocket(adopting: RawDescriptor(3))
}
