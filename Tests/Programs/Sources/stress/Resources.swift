internal import CPrograms
internal import Glibc

/// What this process holds.
struct Resources {
  let descriptors: Int
  let threads: Int
  /// Bytes that malloc has given out.
  let heap: Int
  /// Bytes in memory (resident set size).
  let resident: Int

  static func now() -> Resources {
    Resources(
      descriptors: entries("/proc/self/fd"), threads: entries("/proc/self/task"), heap: programs_heap_in_use(),
      resident: residentBytes())
  }

  private static func entries(_ path: String) -> Int {
    guard let folder = opendir(path) else { return -1 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
  }

  private static func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return -1 }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = fread(&bytes, 1, bytes.count, file)
    let words = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? -1) * 4096 : -1
  }

  /// What has grown since then and must not have: in sentences.
  func growth(since before: Resources) -> [String] {
    var faults: [String] = []
    if descriptors != before.descriptors {
      faults.append("descriptors: \(before.descriptors) before, \(descriptors) after")
    }
    if threads != before.threads { faults.append("threads: \(before.threads) before, \(threads) after") }
    // A few allocations come late: buffers of standard output, of the C library.
    if heap > before.heap + 64 << 10 { faults.append("heap: \(before.heap) bytes before, \(heap) after") }
    if resident > before.resident + 16 << 20 {
      faults.append("resident memory: \(before.resident) bytes before, \(resident) after")
    }
    return faults
  }
}
