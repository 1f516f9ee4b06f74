public import SocketKitCore

/// The owner of a number that a C function returned.
public func owning(_ raw: RawDescriptor) -> Descriptor { unsafe Descriptor(unsafeOwning: raw) }

/// The owner of a number that a C function returned.
public func owning(_ number: Int32) -> Descriptor { owning(RawDescriptor(number)) }
