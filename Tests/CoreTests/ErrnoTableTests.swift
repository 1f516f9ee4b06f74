import Glibc
import SocketKitCore
import Testing

/// Which code a program gets for each error number of the kernel. The table uses the C library's names, so that a wrong
/// number in the sources makes a test fail.
@Suite struct ErrnoTableTests {
  private static let codes: [SocketError.Code: [Int32]] = [
    .closed: [EBADF],
    .connectionRefused: [ECONNREFUSED],
    .connectionReset: [ECONNRESET, ECONNABORTED],
    .brokenPipe: [EPIPE, ESHUTDOWN],
    .timedOut: [ETIMEDOUT],
    .addressInUse: [EADDRINUSE],
    .addressNotAvailable: [EADDRNOTAVAIL],
    .unreachable: [ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN],
    .permissionDenied: [EACCES, EPERM],
    .tooManyDescriptors: [EMFILE, ENFILE, ETOOMANYREFS],
    .outOfMemory: [ENOMEM, ENOBUFS],
    .messageTooLarge: [EMSGSIZE],
    .notConnected: [ENOTCONN, EDESTADDRREQ],
    .alreadyConnected: [EISCONN],
    .invalidArgument: [EINVAL, EDOM, ERANGE],
    .notSupported: [EOPNOTSUPP, ENOPROTOOPT, ENOSYS],
    .protocolNotSupported: [EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENODEV],
    .notASocket: [ENOTSOCK],
    .alreadyRegistered: [EEXIST],
    .noSuchPath: [ENOENT],
    .protocolViolation: [EPROTO],
    .wrongSocketType: [EPROTOTYPE],
    .transportReset: [ENETRESET],
    .noSuchProcess: [ESRCH],
  ]

  /// Tries every number that Linux uses, numbers that it does not use, and numbers that no error can have.
  @Test func everyNumberHasTheCodeOfTheTableAndOthersHaveNone() {
    var expected: [Int32: SocketError.Code] = [:]
    for (code, numbers) in Self.codes {
      for number in numbers {
        #expect(expected.updateValue(code, forKey: number) == nil, "\(number) stands in the table twice")
      }
    }
    #expect(expected.count == 41)
    for number in Array(-1...4096) + [Int32.min, Int32.max, -EINVAL, 512, 516, 530] {
      #expect(SocketError.Code(errno: number) == expected[number] ?? .other, "errno \(number)")
    }
  }

  /// Makes the errors from the result of a failed call, as the library does.
  @Test func anErrorOfTheKernelsHasItsNumberAndThatCode() {
    for (code, numbers) in Self.codes {
      for number in numbers {
        let error = SocketError(.failure(errno: number), .receive)
        #expect(error.errno == number && error.code == code && error.operation == .receive && error.transferred == 0)
        #expect(error.after(transferring: 3).code == code && error.after(transferring: 3).transferred == 3)
      }
    }
    let unused: Int32 = 4000
    let strange = SocketError(.failure(errno: unused), .send)
    #expect(strange.errno == unused && strange.code == .other)
    #expect(strange.description.hasPrefix("send: failed (") && strange.description.contains("errno 4000"))
  }

  /// ENODEV means a missing interface where the call can name only interfaces, and a missing protocol elsewhere.
  @Test func aMissingInterfaceIsNoMissingProtocol() {
    for (operation, code) in [
      (.setOption, .addressNotAvailable), (.send, .addressNotAvailable), (.open, .protocolNotSupported),
      (.bind, .protocolNotSupported), (.connect, .protocolNotSupported),
    ] as [(SocketError.Operation, SocketError.Code)] {
      #expect(SocketError(.failure(errno: ENODEV), operation).code == code, "\(operation)")
    }
    #expect("\(SocketError(.failure(errno: ENODEV), .send))".contains("interface does not exist"))
  }

  /// A code that is given takes precedence over the number.
  @Test func aCodeOfItsOwnGoesBeforeTheNumber() {
    let error = SocketError(code: .capacityExceeded, .send, errno: EINVAL)
    #expect(error.code == .capacityExceeded && error.errno == EINVAL)
    #expect(SocketError(code: .timedOut, .connect) != SocketError(.failure(errno: ETIMEDOUT), .connect))
  }

  /// strerrorname_np(3) knows every name.
  @Test func theTextNamesEachNumberAsTheHeadersDo() throws {
    var named = 0
    for number in Self.codes.values.flatMap({ $0 }) {
      // The text is a constant of the C library.
      let name = try #require(unsafe nameOf(number).map { unsafe String(cString: $0) })
      #expect("\(SocketError(.failure(errno: number), .receive))".contains("(\(name), errno \(number))"))
      named += 1
    }
    #expect(named == 41)
  }

  @Test func noTwoCodesHaveTheSameWord() {
    let words = (UInt8(1)...38).map { SocketError.Code(rawValue: $0).description }
    #expect(Set(words).count == 38)
  }
}

@_silgen_name("strerrorname_np") private func nameOf(_ errno: Int32) -> UnsafePointer<CChar>?
