internal import Glibc

/// Functions of the C library that take pointers, with texts and arrays in their place. The results and `errno` are
/// those of the functions.
///
/// Every pointer is used during its call only, which the text or the array outlives. No function gets a count beyond
/// that of its array.
public enum CLibrary {
  public static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0) -> Int32 {
    unsafe Glibc.open(path, flags, mode)
  }

  @discardableResult
  public static func unlink(_ path: String) -> Int32 { unsafe Glibc.unlink(path) }

  /// A pipe whose ends block. Whoever makes it closes them.
  public static func pipe() -> (readEnd: Int32, writeEnd: Int32) {
    var numbers: [Int32] = [-1, -1]
    let result = unsafe Glibc.pipe(&numbers)
    precondition(result == 0, "no pipe: errno \(errno)")
    return (numbers[0], numbers[1])
  }

  @discardableResult
  public static func read(_ number: Int32, into bytes: inout [UInt8]) -> Int {
    unsafe Glibc.read(number, &bytes, bytes.count)
  }

  public static func write(_ number: Int32, _ bytes: [UInt8]) -> Int {
    unsafe Glibc.write(number, bytes, bytes.count)
  }

  @discardableResult
  public static func receive(_ number: Int32, into bytes: inout [UInt8]) -> Int {
    unsafe recv(number, &bytes, bytes.count, 0)
  }

  @discardableResult
  public static func send(_ number: Int32, _ bytes: [UInt8], flags: Int32 = 0) -> Int {
    unsafe Glibc.send(number, bytes, bytes.count, flags)
  }
}
