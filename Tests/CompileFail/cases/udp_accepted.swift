// error: type 'UDPSocket' does not conform to protocol 'Acceptable'
import SocketKit

func f(_ listener: borrowing Listener<UDPSocket>) throws {
  _ = try listener.accept()
}
