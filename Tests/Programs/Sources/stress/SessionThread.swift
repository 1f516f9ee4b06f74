internal import SocketKit

/// One of the four threads of a session: an end's writer or reader.
class SessionThread {
  enum Role { case writing, reading }

  let session: Session
  /// Which end.
  let index: Int
  /// Which thread of the session.
  let thread: Int
  let actor: Actor
  /// What it sends, or what the other end sends.
  let direction: Direction
  let pattern: Pattern
  var random: SeededRandom

  init(_ session: Session, _ index: Int, _ role: Role) {
    let from = role == .writing ? index : 1 - index
    self.session = session
    self.index = index
    thread = index * 2 + (role == .writing ? 0 : 1)
    actor = session.actor(role == .writing ? "writer" : "reader", index)
    direction = session.directions[from]
    pattern = session.pattern(from)
    random = session.random(thread)
  }

  /// Does one operation: see ``Actor/perform(_:within:_:)``.
  func attempt<R>(
    _ what: String, _ time: Duration, _ body: () throws(SocketError) -> R
  ) throws(SocketError) -> R {
    let result = actor.perform(what, within: time) { () -> Result<R, SocketError> in
      do throws(SocketError) {
        return .success(try body())
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Ends the direction of a writer.
  func shutDown<S: Socket & ~Copyable>(_ socket: borrowing S) {
    actor.perform("shutdown", within: .zero) {
      do throws(SocketError) {
        try socket.shutdown(.write)
      } catch {
        if !session.isBroken { actor.fail("shutdown: \(error)") }
      }
    }
  }
}
