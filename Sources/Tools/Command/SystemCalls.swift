internal import Glibc
internal import SocketKitCore

// System calls on descriptors and files. The kernel accesses the memory only during the call.

/// Waits for an event with poll(2); returns false if the time passes or the call fails.
/// - Parameter milliseconds: the time to wait; -1 waits without a limit.
@discardableResult
func waitForEvent(_ events: Int32, of number: Int32, milliseconds: Int32) -> Bool {
  var watched = pollfd(fd: number, events: Int16(events), revents: 0)
  return unsafe poll(&watched, 1, milliseconds) > 0
}

/// Reads with read(2) to the start of an array; returns the number of bytes, or -1 with errno.
func readBytes(_ number: Int32, into bytes: inout [UInt8]) -> Int {
  unsafe bytes.withUnsafeMutableBytes { unsafe read(number, $0.baseAddress, $0.count) }
}

/// Writes with write(2); returns the number of bytes, or -1 with errno.
func writeBytes(_ number: Int32, _ bytes: ArraySlice<UInt8>) -> Int {
  unsafe bytes.withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
}

/// Returns the names of the entries of a folder, or nil if it cannot be read.
func entryNames(_ folder: String) -> [String]? {
  guard let stream = unsafe opendir(folder) else { return nil }
  defer { unsafe closedir(stream) }
  var names: [String] = []
  // The entry is valid until the next call. Its name ends with a zero byte.
  while let entry = unsafe readdir(stream) {
    names.append(unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe cText($0.bytes) })
  }
  return names
}

/// Returns the text before the first zero byte.
func cText(_ bytes: RawSpan) -> String {
  var characters: [UInt8] = []
  for index in 0..<bytes.byteCount {
    let character = bytes.integer(at: index, as: UInt8.self)
    if character == 0 { break }
    characters.append(character)
  }
  return String(decoding: characters, as: UTF8.self)
}

/// Returns the contents of a small file, or nil if it cannot be read.
func readFile(_ path: String) -> String? {
  // The kernel reads the path during the call.
  let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard number >= 0 else { return nil }
  defer { close(number) }
  var text: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = readBytes(number, into: &chunk)
    if count <= 0 { break }
    text += chunk[..<count]
  }
  return String(decoding: text, as: UTF8.self)
}
