internal import Glibc
internal import SocketKitToolSupport

@main
struct Main {
  static func main() { exit(run(Array(Word.ofThisProcess.dropFirst()))) }

  private static func run(_ words: [Word]) -> Int32 {
    do {
      return try status(of: words)
    } catch {
      Terminal.say("socketkit: \(error)\n")
      return 1
    }
  }

  private static func status(of words: [Word]) throws -> Int32 {
    guard let name = words.first?.description else {
      Terminal.say(help)
      return 2
    }
    if ["--help", "-h", "help"].contains(name) {
      try Terminal.print(help)
      return 0
    }
    guard let command = Command.all.first(where: { $0.name == name }) else {
      Terminal.say("socketkit: unknown command \"\(name)\"; see socketkit --help\n")
      return 2
    }
    let rest = Array(words.dropFirst())
    if rest.prefix(while: { $0 != "--" }).contains(where: { command.helpWords.contains($0.text) }) {
      try Terminal.print(command.help)
      return 0
    }
    do {
      return try command.run(Arguments(rest))
    } catch let error as ToolError {
      Terminal.say("socketkit \(name): \(error)\n")
      if error.status == 2 { Terminal.say("see socketkit \(name) --help\n") }
      return error.status
    } catch {
      Terminal.say("socketkit \(name): \(error)\n")
      return 1
    }
  }

  private static var help: String {
    let commands = Command.all.filter { !$0.isHidden }
    let width = commands.map(\.name.count).max() ?? 0
    var text = "usage: socketkit COMMAND [OPTION…]\n\n"
    for command in commands {
      text += "  \(command.name)\(String(repeating: " ", count: width - command.name.count))  \(command.summary)\n"
    }
    text +=
      "\nsocketkit COMMAND --help describes a command. Data goes to standard output, messages go to standard error.\n"
    return text
  }
}
