// error: has no member 'resetAssociation'|cannot be resolved without a contextual type
import SocketKit

func f(_ socket: borrowing SCTPSocket) throws {
  _ = try socket.option(.resetAssociation)
}
