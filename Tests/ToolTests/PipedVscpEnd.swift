import Glibc
import TestSupport
import Testing

/// An end whose input or output is a pipe; the test's side of it is closed in the end, which frees one that hangs.
final class PipedVscpEnd {
  private let pipe: (readEnd: Int32, writeEnd: Int32)
  private let reads: Bool
  private var isOpen = true
  let end: VscpEnd

  init(_ words: [String], reads: Bool) {
    pipe = CLibrary.pipe()
    self.reads = reads
    end = reads ? VscpEnd(words, input: pipe.readEnd) : VscpEnd(words, output: pipe.writeEnd)
  }

  /// The test's side.
  var number: Int32 { reads ? pipe.writeEnd : pipe.readEnd }

  /// Waits for the end's words, then frees it and gives its status.
  func finish(saying text: String) -> Int32 {
    for _ in 0..<1000 where !end.talk.text.contains(text) { sleep(milliseconds: 5) }
    #expect(end.talk.text.contains(text), "\(end.talk.text)")
    closeOurs()
    let status = end.join()
    close(reads ? pipe.readEnd : pipe.writeEnd)
    return status
  }

  func closeOurs() {
    if isOpen {
      if !reads { while readable() { drain() } }
      close(number)
    }
    isOpen = false
  }

  /// Emptied first: a reader that goes would end the whole process, by SIGPIPE.
  private func readable() -> Bool {
    (polledEvents(number, for: POLLIN, milliseconds: 300) ?? 0) & POLLIN != 0
  }
  private func drain() {
    var bytes = [UInt8](repeating: 0, count: 65536)
    CLibrary.read(number, into: &bytes)
  }
}
