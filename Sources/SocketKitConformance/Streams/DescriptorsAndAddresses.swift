internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var descriptorRules: [ConformanceRule] {
    rule("descriptor.flags", "The descriptors of both ends are close-on-exec and non-blocking.") { ends in
      for end in [ends.near, ends.far] {
        for source in [end.value.readSource, end.value.writeSource] {
          try require(source.isOpen, "\(source) is not open")
          try require(
            source.isCloseOnExec, "\(source) is inherited by executed programs: FD_CLOEXEC is missing")
          try require(source.isNonBlocking, "\(source) blocks: O_NONBLOCK is missing")
        }
      }
    }
      + rule("descriptor.closes", "Destroying a socket closes its descriptors.") { ends in
        let sources = [ends.near.value.readSource, ends.near.value.writeSource]
        ends.near.close()
        for source in sources { try require(!source.isOpen, "\(source) is still open") }
        try requireEqual(try ends.far.readAll(until: .after(Times.limit)), [], "the peer's read")
      }
      + closeRule
      + rule("address.match", "Each end's remote address is the other end's local address.") { ends in
        try requireEqual(
          try ends.near.value.remoteAddress(), try ends.far.value.localAddress(), "the near end's remote address")
        try requireEqual(
          try ends.far.value.remoteAddress(), try ends.near.value.localAddress(), "the far end's remote address")
      }
  }

  private var closeRule: [ConformanceRule] {
    let makePair = makePair
    return [
      ConformanceRule("stream.descriptor.close", "`close` closes the descriptors and throws no error.") {
        let far = try makePair().split { near, far in
          let sources = [near.readSource, near.writeSource]
          try near.close()
          for source in sources { try require(!source.isOpen, "\(source) is still open") }
          return Shared(far)
        }
        try requireEqual(try far.readAll(until: .after(Times.limit)), [], "the peer's read")
        far.close()
      }
    ]
  }
}
