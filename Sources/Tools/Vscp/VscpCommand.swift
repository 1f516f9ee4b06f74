/// Implements `socketkit vscp`: mdlayher's vscp for any stream transport.
public enum VscpCommand {
  /// Runs the command; `words` does not include the command's name.
  /// - Returns: the exit status: 0 on success, 1 on failure, 2 for an invalid command line.
  public static func run(_ words: [Word], console: VscpConsole) -> Int32 {
    let options: VscpOptions
    do throws(VscpOptions.Ending) {
      options = try VscpOptions(words)
    } catch {
      return end(error, console)
    }
    do {
      return try VscpSession(options: options, console: console).run()
    } catch let failure as VscpFailure {
      console.log("vscp: \(options.role): \(failure.action): \(failure.reason)")
    } catch {
      console.log("vscp: \(options.role): \(error)")
    }
    return 1
  }

  static func run(_ words: [String], console: VscpConsole) -> Int32 {
    run(words.map { Word($0) }, console: console)
  }

  static func end(_ ending: VscpOptions.Ending, _ console: VscpConsole) -> Int32 {
    switch ending {
    case .defaults:
      console.say(GoFlags.defaults(VscpOptions.classicFlags))
      return 0
    case .fatal(let text):
      console.log(text)
      return 1
    case .wrong(let text):
      console.say("\(text)\nUsage of vscp:\n" + GoFlags.defaults(VscpOptions.classicFlags))
      return 2
    case .usage(let text):
      console.say("vscp: \(text)\nsee socketkit vscp --help\n")
      return 2
    }
  }
}
