internal import Glibc

/// Functions of the C library that take pointers, with texts, arrays and spans in their place. The results and `errno`
/// are those of the functions.
///
/// Every pointer is used during its call only, which the text, the array or the span outlives. No function gets a count
/// beyond that of its array.
public enum CLibrary {
  public static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0) -> Int32 {
    unsafe Glibc.open(path, flags, mode)
  }

  @discardableResult
  public static func unlink(_ path: String) -> Int32 { unsafe Glibc.unlink(path) }

  /// A pipe whose ends block, and are CLOEXEC. Whoever makes it closes them.
  public static func pipe() -> (readEnd: Int32, writeEnd: Int32) {
    var numbers: [Int32] = [-1, -1]
    let result = unsafe pipe2(&numbers, O_CLOEXEC)
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

  public static func bind(_ number: Int32, to address: RawSpan) -> Int32 {
    unsafe address.withUnsafeBytes {
      unsafe Glibc.bind(number, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
  }

  public static func connect(_ number: Int32, to address: RawSpan) -> Int32 {
    unsafe address.withUnsafeBytes {
      unsafe Glibc.connect(number, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
  }

  @discardableResult
  public static func receive(_ number: Int32, into bytes: inout [UInt8], flags: Int32 = 0) -> Int {
    unsafe recv(number, &bytes, bytes.count, flags)
  }

  /// With MSG_ZEROCOPY, the kernel reads the bytes later: it holds their pages until then.
  @discardableResult
  public static func send(_ number: Int32, _ bytes: ArraySlice<UInt8>, flags: Int32 = 0) -> Int {
    unsafe bytes.withUnsafeBytes { unsafe Glibc.send(number, $0.baseAddress, $0.count, flags) }
  }

  /// ioctl(2) for an interface or a route. The bytes are the whole structure that the request reads or writes.
  public static func ioctl(_ number: Int32, _ request: Int32, _ bytes: inout [UInt8]) -> Int32 {
    unsafe Glibc.ioctl(number, UInt(request), &bytes)
  }
}

@_silgen_name("pipe2") private func pipe2(_ pipe: UnsafeMutablePointer<Int32>, _ flags: Int32) -> Int32
