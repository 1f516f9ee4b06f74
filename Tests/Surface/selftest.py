#!/usr/bin/env python3
"""The test of the rules: small modules are compiled, and each rule must report what breaks it and nothing else. A rule
that cannot fail would prove nothing."""
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from graph import Failed, Graph, extract, output
from rules import LIMITS, RULES

HEADERS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../Sources/CSocketKit")


def numbered(count, text):
    return "\n".join(text.replace("#", str(number)) for number in range(count))


# Each: a name, the modules in the order of their compilation, and parts of the expected reports, in any order.
CASES = [
    ("nothing wrong", [
        ("SocketKitCore", """
         /// A protocol.
         public protocol P {
           /// A thing.
           associatedtype Thing
           /// Does it.
           func f(_ thing: Thing)
           /// Does that.
           func h()
         }
         /// A marker.
         public protocol M {}
         extension M where Self: P {
           public func h() {}
         }
         /// A type.
         public struct S: P, M, Hashable {
           public typealias Thing = Int
           public func f(_ thing: Int) {}
           public static func == (a: Self, b: Self) -> Bool { true }
           public func hash(into hasher: inout Hasher) {}
           internal func g() {}
         }
         /// An enumeration, of which the compiler makes init(rawValue:).
         public enum E: Int {
           /// A case.
           case a
         }
         """)], []),
    # Markers, and protocols of other modules, do not count in Core's limit.
    ("as many protocols as there may be", [
        ("SocketKitCore", numbered(18, "/// A\npublic protocol P# {\n/// B\nvar p: Int { get } }")
         + numbered(9, "/// A\npublic protocol Q#: P# {}")),
        ("Other", numbered(8, "/// A\npublic protocol R# {\n/// B\nassociatedtype T }"))], []),
    ("too many protocols of SocketKitCore", [
        ("SocketKitCore", numbered(19, "/// A\npublic protocol P# {\n/// B\ninit() }"))],
     ["19 public protocols of SocketKitCore with requirements"]),
    ("too many protocols", [
        ("SocketKitCore", numbered(18, "/// A\npublic protocol P# {\n/// B\nfunc f() }")),
        ("Other", "public import SocketKitCore\n"
         + numbered(9, "/// A\npublic protocol R#: P# {\n/// B\nfunc f() }"))],
     ["27 public protocols with requirements"]),
    # What a type inherits counts once, where it is declared.
    ("as many declarations as there may be", [
        ("SocketKitCore", numbered(104, """
         /// A
         public protocol P# {}
         extension P# {
           /// A
           public static func s#() {}
           /// A
           public subscript(n: Int) -> Int { n }
         }
         /// A
         public struct S#: P# {
           /// A
           public init() {}
           /// A
           public init(_ n: Int) {}
           /// A
           public func f() {}
           internal func g() {}
         }
         """))], []),
    ("declarations that implement a requirement do not count", [
        ("SocketKitCore", "/// A\npublic protocol P {\n/// A\nfunc r() }\n" + numbered(519, """
         /// A
         public struct S#: P {
           public func r() {}
           /// A
           public func f() {}
         }
         """))], ["1039 public methods, initializers and subscripts in all"]),
    ("an overload of a requirement is a declaration of its own", [
        ("SocketKitCore", """
         /// A
         public protocol P {
           /// A
           associatedtype Address
           /// A
           func r(_ a: Address) -> Int
           /// A
           func s(_ n: Int)
         }
         extension P {
           public func s(_ n: Int) {}
           public func s(_ n: Double) {}
           public func r(_ a: Address) -> String { "" }
         }
         /// A
         public struct S: P {
           public typealias Address = Int
           public func r(_ a: Int) -> Int { a }
           public func s(_ n: String) {}
         }
         """)], ["P.s(_:) has no documentation", "P.r(_:) has no documentation", "S.s(_:) has no documentation"]),
    ("too many declarations", [
        ("SocketKitCore", numbered(173, """
         /// A
         public struct S# {
           /// A
           public init() {}
           /// A
           public func f() {}
           /// A
           public subscript(n: Int) -> Int { n }
         }
         """) + "/// A\npublic struct T {\n/// A\npublic static func f() {}\n/// A\npublic static func g() {} }")],
     ["521 public methods, initializers and subscripts that implement no requirement",
      "521 public methods, initializers and subscripts in all"]),
    # A try form and its waiting form are one. What the type has itself hides an extension's member; what is
    # unavailable does not count.
    ("four declarations of one name", [
        ("SocketKitCore", """
         /// A
         public protocol P {
           /// A
           associatedtype Address
           /// A
           func f(_ a: Address)
         }
         extension P {
           public func f(_ a: Address) {}
           /// A
           public func f(_ a: Address, until: Int) {}
           /// A
           public func f(b: consuming Int) {}
           /// A
           public func f(b: Int, until: Int) {}
           /// A
           public func f(c: Int) {}
           /// A
           public func f(c: Int, until: Int) {}
           @available(*, unavailable, message: "It serves only the message.")
           public func f(d: Int) {}
         }
         /// A
         public struct S: P {
           public typealias Address = Int
           public func f(_ a: Int) {}
           /// A
           public static func f(until: Int) {}
         }
         """)], []),
    ("five declarations of one name", [
        ("SocketKitCore", """
         /// A
         public struct S {
           /// A
           public init(_ a: Int) {}
           /// A
           public init(_ b: Int8) {}
           /// A
           public init(_ c: Int, d: Int) {}
           /// A
           public init(_ c: String) {}
           /// A
           public init(_ c: String, until: Int) {}
           /// A
           public init(_ c: String, until: String) {}
           /// A
           public init(other: Int) {}
         }
         """)], ["SocketKitCore.S has 5 declarations of init(_:)"]),
    # Extensions in a module that the type's module does not see, where their conditions hold.
    ("declarations of one name in several modules", [
        ("SocketKitCore", """
         /// A
         public protocol P: ~Copyable {
           /// A
           associatedtype Address
         }
         extension P where Self: ~Copyable {
           /// A
           public func f(a: Int) {}
           /// A
           public func f(b: Int) {}
         }
         /// A
         public protocol Q: ~Copyable {}
         /// A
         public protocol R: P, ~Copyable where Address == String {}
         """),
        ("Types", """
         public import SocketKitCore
         /// A
         public struct S: P, ~Copyable { public typealias Address = Int }
         /// A
         public struct T: P, ~Copyable { public typealias Address = String }
         /// A
         public struct U<Address>: P, ~Copyable {}
         /// A
         public struct V: R, ~Copyable {}
         """),
        ("Other", """
         public import SocketKitCore
         extension P where Self: ~Copyable, Address == Int {
           /// A
           public func f(c: Int) {}
           /// A
           public func f(d: Int) {}
           /// A
           public func f(e: Int) {}
         }
         extension P where Self: Copyable {
           /// A
           public func f(g: Int) {}
         }
         extension P where Self: Q & ~Copyable {
           /// A
           public func f(h: Int) {}
         }
         """)], ["Types.S has 5 declarations of f"]),
    # Initializers, properties and constants are no names of methods.
    ("thirty names", [
        ("SocketKitCore", "/// A\npublic protocol P {}\nextension P {"
         + numbered(10, "/// A\npublic func f#() {}\n/// A\npublic var v#: Int { 0 }\n/// A\npublic static let c# = 1")
         .replace("public static let", "public static var").replace(" = 1", ": Int { 1 }")
         + "}\n/// A\npublic struct S: P {\n/// A\npublic init() {}\n"
         + numbered(20, "/// A\npublic static func g#() {}") + "}")], []),
    ("thirty-one names", [
        ("SocketKitCore", "/// A\npublic protocol P {}\nextension P {" + numbered(11, "/// A\npublic func f#() {}")
         + "}\n/// A\npublic struct S: P {\n" + numbered(20, "/// A\npublic static func g#() {}") + "}")],
     ["SocketKitCore.S has methods of 31 names"]),
    ("no documentation", [
        ("SocketKitCore", """
         public protocol P {
           associatedtype Thing
           func f(_ thing: Thing)
         }
         // Not this.
         public struct S: P {
           public init() {}
           public var a = 1
           public static let b = 1
           public func f(_ thing: Int) {}
           public subscript(n: Int) -> Int { n }
         }
         public enum E { case x }
         public func g() {}
         public typealias A = Int
         public class C {}
         """)],
     [f"SocketKitCore.{name} has no documentation" for name in [
         "P", "P.Thing", "P.f(_:)", "S", "S.init()", "S.a", "S.b", "S.f(_:)", "S.subscript(_:)", "E", "E.x", "g()", "A",
         "C"]]),
    ("C types", [
        ("SocketKitCore", """
         public import CSocketKit
         public import Glibc
         /// A
         public struct S {
           /// A
           public var a: csk_linger
           /// A
           public func f(_ b: UnsafePointer<csk_iovec>?) {}
           /// A
           public func g() -> [sockaddr_in] { [] }
           /// A
           public func h(_ c: Int32, _ d: UInt) {}
         }
         /// A
         public typealias Process = pid_t
         """)],
     ["S.a has the C type csk_linger", "S.f(_:) has the C type csk_iovec", "S.g() has the C type sockaddr_in",
      "Process has the C type pid_t"]),
]


def findings(modules):
    """What the rules report of some sources."""
    with tempfile.TemporaryDirectory() as folder:
        for name, source in modules:
            path = f"{folder}/{name}.swift"
            with open(path, "w", encoding="utf-8") as file:
                file.write(source)
            output("swiftc", "-emit-module", "-parse-as-library", "-swift-version", "6", "-module-name", name,
                   "-enable-upcoming-feature", "InternalImportsByDefault", "-I", folder, "-I", HEADERS,
                   "-emit-module-source-info-path", f"{folder}/{name}.swiftsourceinfo",
                   "-o", f"{folder}/{name}.swiftmodule", path)
        names = [name for name, _ in modules]
        graphs = f"{folder}/graphs"
        os.mkdir(graphs)
        extract(names, graphs, [folder, HEADERS])
        graph = Graph(graphs, {name: {"SocketKitCore"} for name in names})
        # What a rule reports of one symbol has its place; what it counts has none.
        return [text if place.startswith(f"{folder}/") or text[0].isdigit() else f"without a place: {text}"
                for rule in RULES for place, text in rule(graph, LIMITS)]


def complaint(case):
    """What is wrong with the rules, or nothing."""
    name, modules, expected = case
    found = findings(modules)
    missing = [part for part in expected if sum(part in text for text in found) != 1]
    if missing or len(found) != len(expected) or any(text.startswith("without") for text in found):
        return f"FAIL the sources \"{name}\": expected {expected}, reported {found}"
    return None


def main():
    try:
        with ThreadPoolExecutor(max_workers=2) as pool:
            complaints = [text for text in pool.map(complaint, CASES) if text]
    except Failed as reason:
        complaints = [f"FAIL {reason}"]
    for text in complaints:
        print(text)
    if not complaints:
        print(f"ok   the rules report what they must, of {len(CASES)} sources")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
