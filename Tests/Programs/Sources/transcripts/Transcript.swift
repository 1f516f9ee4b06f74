internal import CPrograms
internal import Glibc
internal import SocketKit

/// A step of the transcript begins: what is done, in words that no name of the library is in. In a step with "until" in
/// its text only the kinds of calls count, not how many of them there are.
func step(_ text: String) { line("== \(text)") }

/// What a step came to.
func result(_ text: String) { line("-> \(text)") }

/// One write(2) for each line, which the trace shows in its place.
func line(_ text: String) {
  var text = text + "\n"
  text.withUTF8 { bytes in _ = Glibc.write(1, bytes.baseAddress, bytes.count) }
}

/// Does a step and prints what it came to, failures too.
func step(_ text: String, _ body: () throws -> String) {
  step(text)
  do {
    result(try body())
  } catch let error as SocketError {
    result(words(error))
  } catch {
    result("failed in an unknown way")
  }
}

/// An error in words of this program, so that renaming a code changes no transcript.
func words(_ error: SocketError) -> String {
  let what =
    switch error.code {
    case .timedOut: "timed out"
    case .cancelled: "cancelled"
    case .connectionRefused: "refused"
    case .connectionReset: "reset by the peer"
    case .brokenPipe: "the peer reads no more"
    case .unexpectedEnd: "ended too early"
    case .messageTooLarge: "too long"
    case .notConnected: "not connected"
    case .invalidArgument: "invalid"
    case .noSuchPath: "no such path"
    case .addressInUse: "address in use"
    case .destinationRequired: "for whom?"
    case .permissionDenied: "not permitted"
    case .notSupported: "not supported"
    default: "another error"
    }
  var text = "error: \(what)"
  if error.errno != 0 { text += ", kernel's number \(error.errno)" }
  if error.transferred != 0 { text += ", after \(error.transferred) bytes" }
  return text
}

func words(_ outcome: ReadOutcome?, _ bytes: [UInt8] = []) -> String {
  switch outcome {
  case .bytes(let count): counted(count, bytes)
  case nil: "would block"
  case .endOfStream: "the end"
  }
}

func words(_ count: Int?, _ bytes: [UInt8] = []) -> String { count.map { counted($0, bytes) } ?? "would block" }

/// A count, and the bytes where they are given.
func counted(_ count: Int, _ bytes: [UInt8] = []) -> String {
  bytes.isEmpty ? "\(count) bytes" : "\(count) bytes: \(String(decoding: bytes.prefix(count), as: UTF8.self))"
}

/// A socket that several threads use, and that closes when it is told to.
final class Held<S: ~Copyable & Sendable>: @unchecked Sendable {
  private var socket: S?

  init(_ socket: consuming S) { self.socket = consume socket }

  func with<R: ~Copyable>(_ body: (borrowing S) throws -> R) throws -> R {
    switch socket {
    case .some(let socket): return try body(socket)
    case .none: fatalError("the shared value was used after close()")
    }
  }

  func close() { socket = nil }
}

extension Held where S: Socket & ~Copyable {
  /// Waits, by a call that no trace shows, until there is something to receive: so that a try finds it on a machine
  /// that is busy too.
  func awaitSomething() {
    let number = try? with { $0.readSource.value }
    if let number, programs_readable(number, 10_000) <= 0 { line("!! nothing came within ten seconds") }
  }
}

func awaitSomething(_ descriptor: RawDescriptor) {
  if programs_readable(descriptor.value, 10_000) <= 0 { line("!! nothing came within ten seconds") }
}

/// Runs the body on another thread as soon as the calling one sleeps in a wait, and is joined by the result.
func whenWaiting(_ body: @escaping () throws -> Void) -> Helper { Helper(of: programs_thread(), body) }

/// A step whose wait another thread cancels, with a control that goes with the step.
@inline(never)
func cancelledStep(_ text: String, _ body: (WaitControl) throws -> String) {
  let control = WaitControl()
  let helper = whenWaiting { control.cancel() }
  step("\(text), cancelled by another thread") { try body(control) }
  helper.join()
}

/// A thread that acts while another waits.
final class Helper {
  private var thread = pthread_t()

  init(of waiting: Int32, _ body: @escaping () throws -> Void) {
    final class Job {
      let body: () -> Void
      init(_ body: @escaping () -> Void) { self.body = body }
    }
    let job = Job {
      // By this the trace tells the scenario's threads from the library's own.
      line("|| helps")
      awaitWait(of: waiting)
      // A wait may sleep in two steps, the first of them short: the transcript has both.
      usleep(150_000)
      do { try body() } catch { line("!! the other thread: \(error)") }
    }
    let failure = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, Unmanaged.passRetained(job).toOpaque())
    precondition(failure == 0)
  }

  func join() { pthread_join(thread, nil) }
}

/// Returns when a thread of this process is in a system call that waits for descriptors.
func awaitWait(of thread: Int32) {
  #if arch(x86_64)
    let waits: Set<Substring> = ["7", "23", "232", "270", "271", "281", "441"]
  #else
    let waits: Set<Substring> = ["22", "72", "73", "441"]
  #endif
  for _ in 0..<20_000 {
    if let file = fopen("/proc/self/task/\(thread)/syscall", "r") {
      var bytes = [UInt8](repeating: 0, count: 256)
      let count = fread(&bytes, 1, bytes.count, file)
      fclose(file)
      let text = String(decoding: bytes.prefix(count), as: UTF8.self)
      if let number = text.split(separator: " ").first, waits.contains(number) { return }
    }
    usleep(500)
  }
  line("!! the other thread does not wait")
}

/// The time limit of a wait that is to time out. Some waits have a first part of 20 ms. The limit is much longer,
/// because a traced program in an emulated machine is slow.
let shortTime = Duration.milliseconds(600)
/// How long one may last that is to succeed.
var longTime: Deadline { .after(.seconds(30)) }
