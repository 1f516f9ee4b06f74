import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct EndpointTests {
  @Test(arguments: [
    "tcp://127.0.0.1:80", "tcp://[::1]:80", "tcp://localhost:80", "tcp://*:80", "tcp://0.0.0.0:0", "tcp://*:0",
    "tcp://a-b_c.example.:65535", "tcp://[fe80::1%lo]:80", "tcp://[::ffff:1.2.3.4]:5", "udp://[::1]:53",
    "udp://example.org:53", "udp://*:7", "unix:/run/x.sock", "unix:relative/path", "unix:@name", "unix:@",
    "unix:./@file", "unix:%40file", "unix:/%2Frun", "unix:@a%00b", "unix:@%FF%FE", "unix:/run/%25/%20x", "unix:/a:b",
    "vsock://host:1024", "vsock://3:5000", "vsock://any:*", "vsock://any:1024", "vsock://local:0",
    "vsock://hypervisor:1",
    "vsock://3:5000?to-host", "vsock-dgram://3:1", "vsock-seqpacket://any:*",
    "sctp://10.0.0.1,10.0.1.1:38412", "sctp://[::1],127.0.0.1:1", "sctp://[fe80::1%lo],[::1]:9", "sctp://*:1",
    "sctp://localhost:1", "sctp://10.0.0.1:1", "unix:grüße", "unix:@%0A", "unix-seqpacket:/run/x", "unix-dgram:@x",
    "unix:/e%CC%81", "unix:%", "unix:é", "unix:%00",
  ])
  func aCanonicalTextIsItsOwnText(_ text: String) throws {
    guard text != "unix:%" else {
      #expect(AnyEndpoint(text) == nil)
      return
    }
    let endpoint = try AnyEndpoint(parsing: text)
    #expect(endpoint.description == text)
    #expect(try AnyEndpoint(parsing: endpoint.description) == endpoint)
    #expect(text.hasPrefix(endpoint.scheme + ":"))
  }

  @Test(arguments: [
    ("TCP://LocalHost:80", "tcp://localhost:80"), ("tcp://[::]:80", "tcp://*:80"),
    ("tcp://[0:0::1]:80", "tcp://[::1]:80"), ("unix:///run/x", "unix:/run/x"), ("unix:%2Frun/x", "unix:/run/x"),
    ("unix:/run/%c3%a9", "unix:/run/é"), ("unix:@with space", "unix:@with%20space"),
    ("unix:@e\u{301}", "unix:@e%CC%81"),
    ("unix:@\u{301}", "unix:@%CC%81"), ("Unix-DGram:x", "unix-dgram:x"), ("unix:@\u{202e}x", "unix:@%E2%80%AEx"),
    ("unix:%2F/x", "unix:/%2Fx"), ("vsock://2:1024", "vsock://host:1024"), ("vsock://any:4294967295", "vsock://any:*"),
    ("tcp://localhost:http", "tcp://localhost:80"), ("udp://[::1]:domain", "udp://[::1]:53"),
    ("sctp://10.0.0.1,[::1]:https", "sctp://10.0.0.1,[::1]:443"),
    ("vsock://host(2):1024", "vsock://host:1024"), ("VSOCK://1:1", "vsock://local:1"), ("sctp://[::]:1", "sctp://*:1"),
  ])
  func otherTextsOfTheSameAddressAreRead(_ text: String, _ canonical: String) throws {
    let endpoint = try AnyEndpoint(parsing: text)
    #expect(endpoint.description == canonical)
    #expect(try AnyEndpoint(parsing: canonical) == endpoint)
  }

  @Test(arguments: [
    ("", "transport's name and a colon"), ("/run/x", "transport's name and a colon"),
    ("[::1]:80", "before the first colon"),
    ("127.0.0.1:80", "before the first colon"), (":80", "before the first colon"),
    (" tcp://x:1", "before the first colon"),
    ("localhost:80", "There is no transport \"localhost\". The transports are tcp, udp, unix,"),
    ("http://x", "There is no transport \"http\""), ("tcp:80", "Two slashes must follow the colon, as in //"),
    ("tcp:localhost:80", "Two slashes"), ("tcp:", "Two slashes"), ("tcp://", "Host and port are missing"),
    ("tcp://:80", "The host is missing; \"*\""), ("tcp://localhost", "The port is missing"),
    ("tcp://[::1]", "The port is missing"),
    ("tcp://[::1]x:80", "The port is missing"), ("tcp://::1:80", "in brackets"), ("tcp://1.2.3.4:", "is not a port"),
    ("tcp://1.2.3.4:65536", "\"65536\" is not a port"), ("tcp://1.2.3.4:080", "is not a port"),
    ("tcp://1.2.3.4:-1", "is not a port"),
    ("tcp://1.2.3.4:no-such-service", "is not a port"), ("tcp://1.2.3.4:80http", "is not a port"),
    ("tcp://1.2.3.4:ht tp", "is not a port"), ("tcp://1.2.3.4:%68ttp", "is not a port"),
    ("tcp://[::g]:1", "[::g] is not an IPv6 address."),
    ("tcp://[1.2.3.4]:1", "is not an IPv6"),
    ("tcp://[fe80::1%nosuchinterface0]:1", "a zone is the name or number"), ("tcp://256.0.0.1:1", "looks like an IPv4"),
    ("tcp://127.1:1", "looks like an IPv4"), ("tcp://0x7f000001:1", "looks like an IPv4"), ("tcp://a..b:1", "neither"),
    ("tcp://a b:1", "neither an address nor a name"), ("tcp://grün:1", "neither"), ("tcp://a\0b:1", "neither"),
    ("tcp://x:80/", "\"/\" is not allowed"), ("tcp://me@x:80", "\"@\" is not allowed"),
    ("tcp://x:80?y", "\"?\" is not allowed"),
    ("tcp://[::1:80", "in brackets"), ("unix:", "The path is missing"),
    ("unix://host/x", "Begin the path with one slash"),
    ("unix:////x", "Begin the path with one slash"), ("unix:/a%", "%25"), ("unix:/a%4", "%25"), ("unix:/a%zz", "%25"),
    ("unix:/a%00b", "cannot contain a zero byte"), ("unix-stream:/x", "There is no transport"),
    ("udp://", "Host and port"),
    ("sctp://a,b:1", "not names: a"), ("sctp://1.2.3.4,b:1", "not names: b:1"),
    ("sctp://1.2.3.4:1,5.6.7.8:1", "in brackets"),
    ("sctp://1.2.3.4,:1", "host is missing"), ("sctp://,1.2.3.4:1", "host is missing"),
    ("sctp://1.2.3.4,5.6.7.8", "port is missing"),
    ("sctp://1.2.3.4,1.2.3.4:1", "twice"),
    ("sctp://\(String(repeating: "1.1.1.1,", count: 64))2.2.2.2:1", "at most 64"),
    ("vsock:4711", "\"4711\" may be a context ID or a port: write vsock://4711:PORT"),
    ("vsock:4711", "vsock://any:4711."),
    ("vsock:2:1234", "port as vsock://2:1234"), ("vsock://4711", "Write the context ID and the port"),
    ("vsock://", "the context ID and the port"), ("vsock://x:1", "any, hypervisor, local or host"),
    ("vsock://3:", "A vsock port"),
    ("vsock://3:-1", "A vsock port"), ("vsock://4294967296:1", "0 to 4294967295"),
    ("vsock://vsock://3:5", "Write the context ID"),
    ("vsock://3:5?from-host", "?to-host"), ("vsock://3:4294967296", "A vsock port"),
  ])
  func badTextIsExplained(_ text: String, _ explanation: String) throws {
    #expect(AnyEndpoint(text) == nil)
    let error = try #require(endpointError { () throws(SocketError) in _ = try AnyEndpoint(parsing: text) })
    #expect(error.operation == .parse && error.address == "\"\(text)\"")
    #expect(error.remedy?.contains(explanation) == true, "\(error)")
    #expect(error.description.hasPrefix("parse \"\(text)\": not a"))
  }

  @Test func tooLongIsToldFromWrong() throws {
    let longest = String(repeating: "x", count: 107)
    #expect(AnyEndpoint("unix:@\(longest)") != nil && AnyEndpoint("unix:/\(longest)") != nil)
    for text in ["unix:/\(longest)x", "unix:@x\(longest)", "tcp://\(longest)\(longest)\(longest):1"] {
      let error = endpointError { () throws(SocketError) in _ = try AnyEndpoint(parsing: text) }
      #expect(error?.code == .addressTooLong)
    }
    let port = endpointError { () throws(SocketError) in _ = try AnyEndpoint(parsing: "tcp://x:99999") }
    #expect(port?.code == .invalidPort)
  }

  @Test func everyByteOfANameSurvives() throws {
    for first in 0...255 {
      let name = [UInt8(first), 0x40, UInt8(255 - first), 0xc3, UInt8(first)]
      let abstract = try UnixAddress(abstract: name)
      #expect(AnyEndpoint("unix:\(abstract)")?.description == "unix:\(abstract)")
      guard !name.contains(0) else { continue }
      let path = try UnixAddress(path: name)
      #expect(AnyEndpoint("unix:\(path)")?.description == "unix:\(path)" && UnixAddress(path.description) == path)
      #expect(path.name == name)
    }
    for path in ["//x", "///x", "@", "@x", "//", "/"] {
      let address = try UnixAddress(path: path)
      #expect(AnyEndpoint("unix:\(address)")?.description == "unix:\(address)" && UnixAddress("\(address)") == address)
    }
  }
}
