import Glibc
import SocketKit
import TestSupport
import Testing

/// Runs a program of iproute2 or nftables in the calling thread's network namespace, which a child process inherits.
/// Says so, and returns false, when it is missing or fails.
func runTool(_ name: String, _ words: String, _ location: SourceLocation = #_sourceLocation) -> Bool {
  let places = ["/usr/sbin/", "/sbin/", "/usr/bin/"].map { $0 + name }
  guard let path = places.first(where: isExecutable) else {
    unavailable("there is no \(name) (apt-get install \(name == "nft" ? "nftables" : "iproute2"))", location)
    return false
  }
  // nft takes its command as one word.
  let arguments = name == "nft" ? [words] : words.split(separator: " ").map(String.init)
  guard let process = PeerProcess([path] + arguments), process.finish().status == 0 else {
    unavailable("\(name) \(words) failed: does this kernel have it?", location)
    return false
  }
  return true
}

/// Drops what leaves the calling thread's namespace for a UDP port: sends fail with EPERM until ``letUDPThrough()``.
func dropUDP(toPort port: UInt16, _ location: SourceLocation = #_sourceLocation) -> Bool {
  runTool(
    "nft",
    "add table inet t; add chain inet t o { type filter hook output priority 0 ; }; "
      + "add rule inet t o udp dport \(port) drop",
    location)
}

func letUDPThrough() -> Bool { runTool("nft", "delete table inet t") }
