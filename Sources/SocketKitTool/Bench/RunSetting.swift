internal import SocketKitToolSupport

/// What every run is given besides its load.
struct RunSetting: Sendable {
  let program: ServerProgram
  /// The cpu of the server; nil leaves it to the kernel.
  let cpu: Int?
  let limit: TimeLimit
  let relay: Relay?
}

/// The program that runs as a server. Tests put faulty ones in its place.
struct ServerProgram: Sendable {
  /// This very program.
  var path = "/proc/self/exe"
  /// Its name and its first arguments.
  var words = ["socketkit", "bench-server"]
}

/// What stands between the two ends of the same-thread load: takes the address of one, and gives the address to which
/// the other connects. Tests put faulty ones there; without one the ends are connected directly.
typealias Relay = @Sendable (_ address: String) throws -> String
