import SocketKitToolSupport
import Testing

@Suite struct SupportTests {
  private enum Fruit: String, CaseIterable { case apple, pear }

  @Test func optionsInAnyForm() throws {
    var arguments = Arguments(["--size", "64,128", "--json", "--fruit=pear,apple", "--pin", "1,0"])
    // Outside the macro, which cannot call what changes its receiver.
    let json = arguments.flag("--json")
    let again = arguments.flag("--json")
    let sizes = try arguments.integers("--size", in: 1...1000)
    let fruit = try arguments.names("--fruit", of: Fruit.self)
    let pin = try arguments.optionalValue("--pin") { $0.contains(",") }
    let absent = try arguments.value("--absent")
    try arguments.finish()
    #expect(json && !again)
    #expect(sizes == [64, 128])
    #expect(fruit == [.pear, .apple])
    #expect(pin == "1,0")
    #expect(absent == nil)
  }

  @Test func anOptionalValueMayBeLeftOut() throws {
    var alone = Arguments(["--pin", "--json"])
    let pin = try alone.optionalValue("--pin") { $0.contains(",") }
    let json = alone.flag("--json")
    try alone.finish()
    #expect(pin == "")
    #expect(json)
  }

  @Test(arguments: [
    (["--size"], "--size needs a value"), (["--size", "--json"], "--size needs a value"),
    (["--size", "x"], "--size: \"x\" is not a number from 1 to 10"),
    (["--size", "11"], "--size: \"11\" is not a number from 1 to 10"),
    (["--size=1", "--size=2"], "--size is specified twice"), (["--sizes", "1"], "unknown option --sizes"),
    (["what"], "unexpected argument \"what\""), (["--", "--size"], "unknown option --size"),
  ])
  func wrongLinesAreExplained(words: [String], complaint: String) {
    var arguments = Arguments(words)
    #expect(throws: ToolError.usage(complaint)) {
      _ = try arguments.integer("--size", in: 1...10)
      try arguments.finish()
    }
    #expect(ToolError.usage(complaint).status == 2)
  }

  @Test func unknownNamesListTheKnown() {
    var arguments = Arguments(["--fruit", "plum"])
    #expect(throws: ToolError.usage("--fruit: unknown value \"plum\"; the values are apple, pear")) {
      _ = try arguments.names("--fruit", of: Fruit.self)
    }
  }

  @Test func json() {
    let value: JSON = [
      "text": "a\"\\\n\u{1}é", "list": .array([.integer(-3), .number(0.5), .number(.nan), .bool(true), .null]),
      "empty": .array([]), "object": [:],
    ]
    #expect(
      value.text == """
        {
          "text": "a\\"\\\\\\n\\u0001é",
          "list": [
            -3,
            0.5,
            null,
            true,
            null
          ],
          "empty": [],
          "object": {}
        }
        """)
  }

  @Test func numbers() {
    // The nearest number of binary places is 1.00499999999999989.
    #expect(1.005.fixed(2) == "1.00")
    #expect(12.5.fixed(0) == "13")
    #expect(0.0625.fixed(3) == "0.063")
    #expect((-0.04).fixed(1) == "0.0")
    #expect((-2.25).fixed(1) == "-2.3")
    #expect(9.999.fixed(2) == "10.00")
    #expect(Double.nan.fixed(2) == "-")
    #expect(1_234_567.grouped == "1 234 567")
    #expect((-123).grouped == "-123")
  }

  @Test func spread() {
    #expect(Spread([]) == nil)
    #expect(Spread([3, 1, 2])?.median == 2)
    #expect(Spread([4, 1, 2, 3])?.median == 2.5)
    #expect(Spread([4, 1])?.maximum == 4)
  }

  @Test func tablesAlignAndNotesDoNotWiden() {
    var table = Table([("name", .left), ("µs", .right), ("rate", .right)])
    table.add(["a", "1.5", "10"])
    table.add(["long name", "12.5", "1 000"])
    table.add(["b", "unavailable: not implemented in this tool"])
    #expect(
      table.text == """
        name         µs   rate
        a           1.5     10
        long name  12.5  1 000
        b          unavailable: not implemented in this tool

        """)
  }
}
