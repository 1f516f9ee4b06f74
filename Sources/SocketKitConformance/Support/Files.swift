#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Returns the names in a folder, including "." and "..", and the number of the descriptor that was used to read them.
/// Returns nil if the folder cannot be opened.
func readFolder(_ folder: String) -> (names: [String], descriptor: Int32)? {
  // The folder stays open until the function returns. An entry is valid until the next one is read, and its name ends
  // with a zero byte.
  guard let stream = unsafe opendir(folder) else { return nil }
  defer { unsafe closedir(stream) }
  var names: [String] = []
  while let entry = unsafe readdir(stream) {
    names.append(
      unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      })
  }
  return unsafe (names, dirfd(stream))
}

/// Reads at most `count` bytes from the beginning of a file with one call of read(2). Returns nil if the file cannot be
/// opened or read.
func readFront(of path: String, upTo count: Int) -> ArraySlice<UInt8>? {
  // The path and the array outlive the calls, and the array has the stated size.
  let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
  if file < 0 { return nil }
  defer { close(file) }
  var bytes = [UInt8](repeating: 0, count: count)
  let length = unsafe read(file, &bytes, bytes.count)
  return length < 0 ? nil : bytes.prefix(length)
}
