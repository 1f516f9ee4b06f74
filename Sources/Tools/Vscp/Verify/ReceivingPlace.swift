internal import Glibc
internal import SocketKitCore

/// The destination of received files: an open directory, and the file name if the receiver's command line specifies a
/// name.
struct ReceivingPlace: ~Copyable {
  let directory: LocalFile
  /// The name for the one file; nil uses the sender's name.
  let name: [UInt8]?
  private let acceptsHidden: Bool

  /// The suffix of unfinished files.
  static let partSuffix = Array(".vscp-part".utf8)

  /// - Parameter target: a directory, or the path of a file in a directory; nil means the working directory.
  init(_ target: Word?, acceptsHidden: Bool) throws(FileError) {
    self.acceptsHidden = acceptsHidden
    let target = target ?? "."
    let number = target.open(O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if number >= 0 {
      directory = LocalFile(number, path: target)
      name = nil
      return
    }
    guard errno == ENOENT || errno == ENOTDIR, target.bytes.last != UInt8(ascii: "/") else {
      throw FileError(call: "open", path: target, errno: errno)
    }
    let bytes = target.bytes
    let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { $0 == 0 ? "/" : Word(bytes[..<$0]) } ?? "."
    let folderNumber = folder.open(O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folderNumber < 0 { throw FileError(call: "open", path: folder, errno: errno) }
    directory = LocalFile(folderNumber, path: folder)
    name = Array(bytes[(slash.map { $0 + 1 } ?? 0)...])
  }

  /// Returns the name under which to store an offered file.
  /// - Throws: the reason why the receiver refuses the name.
  borrowing func finalName(for offered: [UInt8]) throws(Refusal) -> [UInt8] {
    let bytes = name ?? offered
    let shown = goQuoted(bytes)
    guard (1...255).contains(bytes.count), bytes != Array(".".utf8), bytes != Array("..".utf8),
      !bytes.contains(UInt8(ascii: "/")), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
    else { throw Refusal(.name, "\(shown) is not a valid file name") }
    if bytes.reversed().starts(with: Self.partSuffix.reversed()) {
      throw Refusal(.name, "\(shown) is the name of an unfinished file")
    }
    if name == nil && bytes.first == UInt8(ascii: ".") && !acceptsHidden {
      throw Refusal(.name, "\(shown) would be hidden: the receiver needs --hidden or its own file name")
    }
    return bytes
  }

  /// Returns the name of the unfinished file in the same directory.
  static func partName(of name: [UInt8]) -> [UInt8] {
    let part = [UInt8(ascii: ".")] + name + partSuffix
    if part.count <= 255 { return part }
    var hash = PlainSHA256()
    hash.update(name.span)
    return [UInt8(ascii: ".")] + Array(hash.digest().description.utf8) + partSuffix
  }
}

/// The reason why the receiver refuses a file. This reason is sent to the sender.
struct Refusal: Error, Equatable {
  let reason: Reason
  init(_ code: Reason.Code, _ text: String) { reason = Reason(code, text) }
  init(_ error: FileError) { reason = Reason(.storage, "\(error)") }
}
