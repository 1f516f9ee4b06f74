import TestSupport

/// A program of this package, built beside the test bundle, wherever that is.
enum BuiltProduct {
  static func path(_ name: String) -> String {
    let maps = contents(ofFile: "/proc/self/maps").map { String(decoding: $0, as: UTF8.self) } ?? ""
    let line = maps.split(separator: "\n").first { $0.hasSuffix(".xctest") }
    guard let bundle = line?.firstIndex(of: "/").flatMap({ line?[$0...] }), let slash = bundle.lastIndex(of: "/") else {
      return ""
    }
    return bundle[...slash] + name
  }
}
