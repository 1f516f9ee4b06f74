internal import SocketKit

/// One run of vscp: establishes the connection and performs the transfer that the options specify.
struct VscpSession: EndpointVisitor {
  typealias Outcome = Int32
  typealias Failure = any Error

  let options: VscpOptions
  let console: VscpConsole

  private var log: VscpLog { VscpLog(console: console, role: options.role, isVerbose: options.isVerbose) }

  /// - Returns: the exit status.
  func run() throws -> Int32 {
    var session = self
    switch options.meeting {
    case .listen(let endpoint, _), .connect(let endpoint, _): return try endpoint.visit(with: &session)
    }
  }

  func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, at endpoint: S.Endpoint
  ) throws -> Int32 {
    switch (options.role, options.verifies) {
    case (.receive, true): return try receiveVerified(S.self, endpoint)
    case (.send, true): return try sendVerified(S.self, endpoint)
    case (.receive, false): try receive(S.self, endpoint)
    case (.send, false): try send(S.self, endpoint)
    }
    return 0
  }

  private func receive<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, _ endpoint: S.Endpoint
  ) throws {
    let file: LocalFile
    let name = options.files.first ?? ""
    do throws(FileError) {
      if name.isEmpty {
        log.detail("empty target, file will be written to stdout")
        file = try .sharing(console.output, path: "/dev/stdout")
      } else {
        log.detail("creating file \(goQuoted(name.bytes)) for output")
        file = try .creating(name)
      }
    } catch {
      throw VscpFailure("failed to create output file", text: error.quoted)
    }
    let socket = try meet(S.self, endpoint)
    let limits = TransferLimits(timeout: options.timeout, idle: options.idleTimeout)
    tell(socket)
    log.detail("receiving data")
    var meter = ProgressMeter("\(name)", size: nil, console: console)
    let digest: SHA256Digest?
    do {
      digest = try socket.receivePlain(
        into: file, limits: limits, checksum: options.showsChecksum, meter: &meter)
      try file.close()
    } catch {
      throw VscpFailure("failed to receive data", error)
    }
    meter.finish()
    log.detail("transfer complete")
    if let digest { console.log("sha256 checksum: \(digest)") }
  }

  private func send<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, _ endpoint: S.Endpoint
  ) throws {
    let file: LocalFile
    let name = options.files.first ?? ""
    do throws(FileError) {
      if name.isEmpty || name == "-" {
        log.detail("empty or stdin target, file will be read from stdin")
        file = try .sharing(console.input, path: "/dev/stdin")
      } else {
        log.detail("opening file \(goQuoted(name.bytes)) for input")
        file = try .reading(name)
      }
    } catch {
      throw VscpFailure("failed to open input file", text: error.quoted)
    }
    let socket = try meet(S.self, endpoint)
    let limits = TransferLimits(timeout: options.timeout, idle: options.idleTimeout)
    tell(socket)
    log.detail("sending data")
    var meter = ProgressMeter("\(name)", size: (try? file.status()).flatMap { $0.fileSize }, console: console)
    let digest: SHA256Digest?
    do {
      digest = try socket.sendPlain(file, limits: limits, checksum: options.showsChecksum, meter: &meter)
      try socket.finishPlain(within: limits)
    } catch {
      socket.spoilEnd()
      throw VscpFailure("failed to send data", error)
    }
    do throws(SocketError) {
      try socket.close()
    } catch {
      throw VscpFailure("failed to send data", error)
    }
    meter.finish()
    log.detail("transfer complete")
    if let digest { console.log("sha256 checksum: \(digest)") }
  }

  private func receiveVerified<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, _ endpoint: S.Endpoint
  ) throws -> Int32 {
    let place: ReceivingPlace
    do {
      place = try ReceivingPlace(options.files.first, acceptsHidden: options.acceptsHidden)
    } catch {
      throw VscpFailure("failed to open the directory", error)
    }
    let socket = try meet(S.self, endpoint)
    tell(socket)
    log.detail("receiving data")
    do {
      let limits = TransferLimits(timeout: options.timeout, idle: options.idleTimeout)
      var receiver = VerifyReceiver(FrameChannel(socket, role: .receiver, limits: limits), place, log)
      return try receiver.run() ? 0 : 1
    } catch {
      throw VscpFailure("failed to receive data", error)
    }
  }

  private func sendVerified<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, _ endpoint: S.Endpoint
  ) throws -> Int32 {
    let socket = try meet(S.self, endpoint)
    tell(socket)
    log.detail("sending data")
    do {
      let limits = TransferLimits(timeout: options.timeout, idle: options.idleTimeout)
      var sender = VerifySender(FrameChannel(socket, role: .sender, limits: limits), log)
      return try sender.run(options.files.isEmpty ? ["-"] : options.files) ? 0 : 1
    } catch {
      throw VscpFailure("failed to send data", error)
    }
  }

  /// Establishes the connection by connecting or by accepting one peer.
  private func meet<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, _ endpoint: S.Endpoint
  ) throws -> S {
    switch options.meeting {
    case .connect(_, let shown):
      log.detail("dialing: \(shown)")
      do throws(SocketError) {
        return try S.connect(to: endpoint, until: .after(options.connectTimeout))
      } catch {
        throw VscpFailure("failed to dial", error)
      }
    case .listen(_, let shown):
      log.detail("opening listener: \(shown)")
      let listener = try listen(S.self, endpoint)
      do throws(SocketError) {
        // This function closes the listener when it returns: each run accepts one peer.
        return try listener.accept(until: .never)
      } catch {
        throw VscpFailure("failed to accept", error)
      }
    }
  }

  private func listen<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, _ endpoint: S.Endpoint
  ) throws -> Listener<S> {
    do {
      let listener = try S.listen(on: endpoint, until: .after(options.connectTimeout))
      log.always("listening: \(try shownAddress(ofListener: listener))")
      return listener
    } catch {
      throw VscpFailure("failed to listen", error)
    }
  }

  private func shownAddress<S: Transport & Acceptable<Void> & ~Copyable>(
    ofListener listener: borrowing Listener<S>
  ) throws -> String {
    let address = try listener.localAddress()
    // mdlayher's vscp shows the context ID to which peers connect.
    if options.isClassic, let vsock = address as? VsockAddress {
      let own = try? VsockContextID.current()
      return VsockAddress(contextID: own ?? vsock.contextID, port: vsock.port).description
    }
    return S.endpointFormat.text(of: address)
  }

  /// Logs the addresses of both ends. The label `server` marks the address of the listening end.
  private func tell<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(_ socket: borrowing S) {
    guard options.isVerbose else { return }
    func shown(_ address: S.Address?) -> String {
      guard let address else { return "unknown" }
      return options.isClassic ? address.description : S.endpointFormat.text(of: address)
    }
    let (own, other) = (shown(try? socket.localAddress()), shown(try? socket.remoteAddress()))
    if case .listen = options.meeting {
      log.detail("server: \(own)")
      log.detail("client: \(other)")
    } else {
      log.detail("client: \(own)")
      log.detail("server: \(other)")
    }
  }
}
