internal import CPrograms
internal import SocketKit

/// Passing descriptors over a Unix socket of any kind.
func passing<S: Transport & KernelSocket & ~Copyable>(_ type: S.Type) throws where S.Address == UnixAddress {
  step("make a pair and two descriptors")
  let ends = try S.pair().split { first, second in [Held(first), Held(second)] }
  let near = ends[0]
  let far = ends[1]
  let one = unsafe Descriptor(unsafeOwning: RawDescriptor(programs_event(1)))
  let two = unsafe Descriptor(unsafeOwning: RawDescriptor(programs_event(2)))
  var buffer = [UInt8](repeating: 0, count: 16)
  var received = ReceivedDescriptors<1>()
  step("receive descriptors, nothing there") {
    words(try far.with { try $0.receiveDescriptors(&received, into: buffer.mutableSpan) })
  }
  step("send two descriptors with bytes") {
    let both: InlineArray<2, RawDescriptor> = [one.raw, two.raw]
    return words(try near.with { try $0.sendDescriptors(both.span, with: "take".utf8.span) })
  }
  far.awaitSomething()
  step("receive with room for one") {
    let text = words(try far.with { try $0.receiveDescriptors(&received, into: buffer.mutableSpan) }, buffer)
    return "\(text), descriptors: \(received.count), closed: \(received.surplus)"
  }
  step("use and close it") {
    guard let descriptor = received.takeFirst() else { return "there is none" }
    return "it holds \(programs_event_take(descriptor.raw.value))"
  }
  step("send a descriptor that the receiver does not want") {
    let first: InlineArray<1, RawDescriptor> = [one.raw]
    return words(try near.with { try $0.sendDescriptors(first.span, with: "drop".utf8.span) })
  }
  far.awaitSomething()
  step("receive it and take nothing") {
    let text = words(try far.with { try $0.receiveDescriptors(&received, into: buffer.mutableSpan) }, buffer)
    received.removeAll()
    return text
  }
  step("close the pair")
  near.close()
  far.close()
}
