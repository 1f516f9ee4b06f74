import Glibc
import OpaqueParts
import SocketKitCore
import SocketKitIP
import SocketKitTCP

/// Never does anything useful: it keeps the roots in the binary.
@main
struct Main {
  static func main() throws {
    let count = CommandLine.arguments.count
    guard count > 1 else { return }
    let socket = try TCPSocket.open(for: .loopback(port: 0))
    let counter = Counter()
    var boxes = [Box(), Box()]
    consume(fail_existential([ResultCounter(1)], 1))
    consume(fail_opaqueGeneric(socket, count))
    consume(try fail_throwingWitness(ThrowingCounter(1), 1))
    consume(try fail_notThisOne(ResultCounter(1), 1))
    consume(fail_allocation(socket, count))
    consume(fail_retain(&boxes, count))
    consume(fail_exclusivity(counter, count))
    consume(fail_metadata(ObjectIdentifier(Int.self), count))
    consume(fail_external(count))
    var lock = pthread_mutex_t()
    pthread_mutex_init(&lock, nil)
    consume(fail_lock(&lock, count))
    consume(fail_closure([{ $0 &+ count }], count))
    consume(fail_lazyGlobal(count))
    consume(fail_cast(count, count))
    consume(fail_deep(counter, count))
  }
}
