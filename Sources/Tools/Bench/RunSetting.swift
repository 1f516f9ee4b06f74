internal import SocketKitToolSupport

/// The settings of a run that do not depend on its load.
struct RunSetting: Sendable {
  let program: ServerProgram
  /// The CPU of the server; nil lets the kernel choose.
  let cpu: Int?
  let limit: TimeLimit
  let relay: Relay?
}

/// The program to run as a server. Tests substitute faulty programs.
struct ServerProgram: Sendable {
  /// The path of the program; the default is this program itself.
  var path = "/proc/self/exe"
  /// The program's name and first arguments.
  var words = ["socketkit", "bench-server"]
}

/// A relay between the two ends of the same-thread load. The function takes the address of the listening end and
/// returns the address to which the other end connects. Tests insert faulty relays. Without a relay, the ends are
/// connected directly.
typealias Relay = @Sendable (_ address: String) throws -> String
