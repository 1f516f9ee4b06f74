import Glibc
import OpaqueParts
import SocketKitCore
import SocketKitTCP

// Each root has one fault, which the specialization check must report: must-fail.txt says as what.

@inline(never)
func fail_existential(_ sources: [any ResultSource], _ count: Int32) -> Int {
  var sum = 0
  for source in sources { sum &+= source.attemptWait(count).raw }
  return sum
}

@inline(never)
func fail_opaqueGeneric(_ socket: borrowing TCPSocket, _ count: Int) -> Int {
  var sum = 0
  for _ in 0..<count { sum &+= opaqueRead(socket) }
  return sum
}

private func waited<S: ThrowingSource>(_ source: S, _ count: Int32) throws(SocketError) -> Int {
  try source.wait(count)
}

@inline(never)
func fail_throwingWitness(_ source: ThrowingCounter, _ count: Int32) throws(SocketError) -> Int {
  try waited(source, count)
}

private func waited<S: ResultSource>(_ source: S, _ count: Int32) throws(SocketError) -> Int {
  let result = source.attemptWait(count)
  if result.isFailure { throw SocketError(result, .wait) }
  return result.raw
}

@inline(never)
func fail_notThisOne(_ source: ResultCounter, _ count: Int32) throws(SocketError) -> Int { try waited(source, count) }

@inline(never)
func fail_allocation(_ socket: borrowing TCPSocket, _ count: Int) -> Int {
  var sum = 0
  for size in 1...count {
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
    var bytes = buffer.mutableSpan
    sum &+= socket.attemptReceive(into: &bytes).raw
    buffer.deallocate()
  }
  return sum
}

@inline(never)
func fail_retain(_ boxes: inout [Box], _ count: Int) -> Box {
  var last = boxes[0]
  for index in 0..<count {
    last = boxes[index % boxes.count]
    boxes[0] = last
  }
  return last
}

final class Counter {
  var value = 0
}

@inline(never)
func fail_exclusivity(_ counter: Counter, _ count: Int) -> Int {
  for _ in 0..<count { change(&counter.value) }
  return counter.value
}

@inline(never)
func fail_metadata(_ type: ObjectIdentifier, _ count: Int) -> Bool { ObjectIdentifier([Box].self) == type && count > 0 }

@inline(never)
func fail_external(_ count: Int) -> Int32 {
  var sum: Int32 = 0
  for _ in 0..<count { sum &+= getppid() }
  return sum
}

/// A lock is only for the roots that the check names.
@inline(never)
func fail_lock(_ lock: UnsafeMutablePointer<pthread_mutex_t>, _ count: Int) -> Int32 {
  var sum: Int32 = 0
  for _ in 0..<count { sum &+= pthread_mutex_lock(lock) &+ pthread_mutex_unlock(lock) }
  return sum
}

@inline(never)
func fail_closure(_ bodies: [(Int) -> Int], _ count: Int) -> Int {
  var sum = 0
  for body in bodies { sum &+= body(count) }
  return sum
}

let table: [Int] = CommandLine.arguments.map { $0.utf8.count }

@inline(never)
func fail_lazyGlobal(_ count: Int) -> Int { table.count &+ count }

@inline(never)
func fail_cast(_ value: Any, _ count: Int) -> Int { (value as? Int ?? 0) &+ count }

/// A fault below the root, in a function of its own: calls are followed.
@inline(never)
func deeper(_ counter: Counter, _ count: Int) -> Int {
  if count > 0 { return deeper(counter, count - 1) &+ counter.value }
  change(&counter.value)
  return 1
}

@inline(never)
func fail_deep(_ counter: Counter, _ count: Int) -> Int { deeper(counter, count) &+ 1 }
