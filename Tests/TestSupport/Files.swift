internal import Glibc

/// The names in a folder, "." and ".." among them; empty when it cannot be read.
public func entries(of folder: String) -> [String] { list(folder)?.names ?? [] }

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
  return names.compactMap { Int32($0) }.filter { $0 != own }.sorted()
}

/// The names in a folder, and the number of the descriptor that read them.
private func list(_ folder: String) -> (names: [String], descriptor: Int32)? {
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
