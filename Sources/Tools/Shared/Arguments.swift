/// Parses a command line: options `--name value` or `--name=value` in any order; `--` ends the options.
///
/// A command reads the options that it supports and then calls ``finish()``, which throws if arguments remain.
public struct Arguments: Sendable {
  /// All arguments in their original order, for commands that do their own parsing.
  public let all: [Word]
  private var words: [String]
  /// The arguments after `--`.
  private let operands: [String]

  public init(_ words: [String]) { self.init(words.map { Word($0) }) }

  public init(_ given: [Word]) {
    all = given
    let words = given.map(\.text)
    let end = words.firstIndex(of: "--") ?? words.endIndex
    self.words = Array(words[..<end])
    operands = Array(words[end...].dropFirst())
  }

  /// Removes an option that takes no value and returns whether it was present.
  public mutating func flag(_ names: String...) -> Bool {
    let count = words.count
    words.removeAll { names.contains($0) }
    return words.count != count
  }

  /// Returns the value of an option, or nil when the option is absent.
  /// - Throws: if the value is missing, or if the option occurs twice.
  public mutating func value(_ name: String) throws(ToolError) -> String? {
    var found: String?
    while let (place, attached) = place(of: name) {
      if found != nil { throw .usage("\(name) is specified twice") }
      words.remove(at: place)
      if let attached {
        found = attached
      } else {
        guard place < words.count, !words[place].hasPrefix("--") else { throw .usage("\(name) needs a value") }
        found = words.remove(at: place)
      }
    }
    return found
  }

  /// Returns the value of an option whose value is optional: nil when the option is absent, "" when it has no value.
  /// The following argument is the option's value if `isValue` returns true for it.
  public mutating func optionalValue(_ name: String, where isValue: (String) -> Bool) throws(ToolError) -> String? {
    guard let (place, attached) = place(of: name) else { return nil }
    if attached == nil, place + 1 == words.count || !isValue(words[place + 1]) {
      words.remove(at: place)
      return ""
    }
    return try value(name)
  }

  /// Returns an option's value as an integer, or nil when the option is absent.
  public mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(ToolError) -> Int? {
    guard let text = try value(name) else { return nil }
    return try Self.integer(text, name, in: range)
  }

  /// Returns an option's comma-separated integers, or nil when the option is absent.
  public mutating func integers(_ name: String, in range: ClosedRange<Int>) throws(ToolError) -> [Int]? {
    guard let text = try value(name) else { return nil }
    var numbers: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      numbers.append(try Self.integer(String(part), name, in: range))
    }
    return numbers
  }

  /// Returns an option's comma-separated names, each a case of `Name`, or nil when the option is absent.
  public mutating func names<Name: RawRepresentable & CaseIterable>(
    _ name: String, of type: Name.Type = Name.self
  ) throws(ToolError) -> [Name]? where Name.RawValue == String {
    guard let text = try value(name) else { return nil }
    var values: [Name] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let value = Name(rawValue: String(part)) else {
        let known = Name.allCases.map(\.rawValue).joined(separator: ", ")
        throw .usage("\(name): unknown value \"\(part)\"; the values are \(known)")
      }
      values.append(value)
    }
    return values
  }

  /// - Throws: if unread arguments remain.
  public func finish() throws(ToolError) {
    guard let word = words.first ?? operands.first else { return }
    throw .usage(word.hasPrefix("-") ? "unknown option \(word)" : "unexpected argument \"\(word)\"")
  }

  private func place(of name: String) -> (Int, attached: String?)? {
    for (place, word) in words.enumerated() {
      if word == name { return (place, nil) }
      if word.hasPrefix(name + "=") { return (place, String(word.dropFirst(name.count + 1))) }
    }
    return nil
  }

  private static func integer(_ text: String, _ name: String, in range: ClosedRange<Int>) throws(ToolError) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw .usage("\(name): \"\(text)\" is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}
