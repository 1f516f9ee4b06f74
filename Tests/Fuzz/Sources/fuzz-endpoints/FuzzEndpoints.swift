// The address language against any text: nothing may crash, what is read has one canonical text that is read to the
// same, what is refused is explained, and names of Unix sockets survive whatever bytes they have.
import FuzzDriver
import SocketKit

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEndpoints(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  let text = String(decoding: bytes, as: UTF8.self)
  read(text)
  // Behind a scheme that the first byte chooses, where the fuzzer need not find it first. One, because most are refused
  // with a long explanation, which takes its time.
  if let first = bytes.first {
    let schemes = AllTransports.schemes
    let rest = String(decoding: bytes.dropFirst(), as: UTF8.self)
    read("\(schemes[Int(first >> 1) % schemes.count]):\(first & 1 == 0 ? "" : "//")\(rest)")
  }
  names(bytes)
  return 0
}

private func read(_ text: String) {
  do throws(SocketError) {
    let endpoint = try AnyEndpoint(parsing: text)
    let canonical = endpoint.description
    guard let again = AnyEndpoint(canonical) else {
      require(false, "\(text) is printed as \(canonical), which is not read")
      return
    }
    require(again == endpoint, "\(canonical) is another than \(text)")
    require(again.description == canonical, "\(canonical) is not stable")
    require(canonical.utf8.starts(with: "\(endpoint.scheme):".utf8), "the scheme is lost")
    require(canonical.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }, "control characters are printed")
  } catch {
    require(error.explanation?.isEmpty == false, "\(text) is refused without a word")
    require(error.operation == .parse && error.address == "\"\(text)\"", "the error is about something else")
  }
}

private func names(_ bytes: [UInt8]) {
  require(EscapedName.bytes(unescaping: EscapedName.text(bytes).utf8) == bytes, "escaping loses bytes")
  guard !bytes.isEmpty, bytes.count <= UnixAddress.maximumNameLength else { return }
  do throws(SocketError) {
    let abstract = try UnixAddress(abstract: bytes)
    let read = try UnixStreamSocket.endpointFormat.parse(abstract.description)
    require(read == abstract, "an abstract name does not survive")
    if bytes.contains(0) { return }
    let path = try UnixAddress(path: bytes)
    require(try UnixStreamSocket.endpointFormat.parse(path.description) == path, "a path does not survive")
  } catch {
    require(false, "\(error)")
  }
}

// SwiftPM renames the entry point of an executable target to <module>_main.
@_cdecl("fuzz_endpoints_main")
public func main(_ argc: Int32, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  drive(argc, argv, { fuzzEndpoints($0, $1) })
}
