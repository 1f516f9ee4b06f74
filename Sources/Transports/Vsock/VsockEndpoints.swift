import SocketKitCore

/// The text of a vsock address after the scheme of ``addressText``: `//host:1024`, `//3:5000`, `//any:*`.
extension VsockAddress {
  /// Reads the text after the scheme.
  init(body: String) throws(SocketError) {
    guard body.utf8.starts(with: "//".utf8) else {
      // In other programs, the number in vsock:4711 is the port or the context ID.
      let parts = body.split(separator: ":", omittingEmptySubsequences: false)
      if parts.count == 2 {
        throw .malformed("Write the context ID and the port as vsock://\(parts[0]):\(parts[1]).")
      }
      throw .malformed(
        "\"\(body)\" may be a context ID or a port: write vsock://\(body):PORT for a context ID. To listen on a port, "
          + "write vsock://any:\(body).")
    }
    let text = body.dropFirst(2)
    guard text.contains(":"), !text.contains("/") else {
      throw .malformed("Write the context ID and the port as vsock://3:5000, vsock://host:1024 or vsock://any:1024.")
    }
    do throws(SocketError) {
      try self.init(String(text))
    } catch {
      throw error.code == .invalidPort
        ? .malformed("A vsock port is a decimal number from 0 to 4294967295, or * for any.", code: .invalidPort)
        : .malformed(
          "A context ID is a decimal number from 0 to 4294967295, or any, hypervisor, local or host. The flag that may "
            + "follow the port is ?to-host.")
    }
  }

  /// The canonical text after the scheme.
  var body: String { String(addressText.dropFirst("vsock:".utf8.count)) }
}

extension EndpointFormat where Endpoint == VsockAddress, Address == VsockAddress {
  /// The format of ``VsockAddress``, as in `vsock://host:1024`.
  static func vsock(scheme: String) -> Self {
    Self(scheme: scheme, parse: { (body) throws(SocketError) in try VsockAddress(body: body) }, body: { $0.body })
  }
}
