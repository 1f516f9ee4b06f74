internal import Glibc

/// The names in a folder, "." and ".." among them; empty when it cannot be read.
public func entries(of folder: String) -> [String] {
  entryBytes(of: folder).map { String(decoding: $0, as: UTF8.self) }
}

/// The same names as bytes, which need not be UTF-8.
public func entryBytes(of folder: String) -> [[UInt8]] { list(folder)?.names ?? [] }

/// The bytes of a file; nil when it cannot be read.
public func contents(ofFile path: String) -> [UInt8]? {
  // The file stays open until the function returns, and fread(3) writes at most the size of the buffer.
  guard let file = unsafe fopen(path, "re") else { return nil }
  defer { unsafe fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = unsafe fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer.prefix(count) }
  return unsafe ferror(file) == 0 ? bytes : nil
}

/// The numbers of this process's open descriptors, without the one that reads the list.
public func openDescriptors() -> [Int32] {
  guard let (names, own) = list("/proc/self/fd") else { return [] }
  return names.compactMap { Int32(String(decoding: $0, as: UTF8.self)) }.filter { $0 != own }.sorted()
}

/// Whether this process may execute the file.
public func isExecutable(_ path: String) -> Bool {
  // The text outlives the call.
  unsafe access(path, X_OK) == 0
}

/// The content of a symbolic link; nil when the path is none.
public func target(ofLink path: String) -> String? {
  var bytes = [CChar](repeating: 0, count: 4096)
  // readlink(2) writes at most the size of the array, which outlives the call.
  let count = unsafe readlink(path, &bytes, bytes.count)
  return count > 0 ? String(decoding: bytes.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
}

/// The names in a folder, and the number of the descriptor that read them.
private func list(_ folder: String) -> (names: [[UInt8]], descriptor: Int32)? {
  // The folder stays open until the function returns. An entry is valid until the next one is read. Its name ends with
  // a zero byte, and the bytes after that, which the type has too, may not exist: nothing reads the name as a whole.
  guard let stream = unsafe opendir(folder) else { return nil }
  defer { unsafe closedir(stream) }
  var names: [[UInt8]] = []
  while let entry = unsafe readdir(stream) {
    names.append(
      unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        let start = unsafe UnsafeRawPointer($0)
        let count = unsafe strlen(start.assumingMemoryBound(to: CChar.self))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
      })
  }
  return unsafe (names, dirfd(stream))
}
