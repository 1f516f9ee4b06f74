// swift-tools-version: 6.3
import PackageDescription

// One module for each transport and poller: who uses one compiles no other.
let transports = ["Raw", "SCTP", "TCP", "UDP", "Unix", "Vsock"]
let pollers = ["Epoll", "Poll", "BusySpin"]
// What a module needs besides the core.
let extraDependencies: [String: [Target.Dependency]] = [
  "BusySpin": ["SocketKitEpoll"], "Raw": ["SocketKitIP"], "SCTP": ["SocketKitIP"], "TCP": ["SocketKitIP"],
  "UDP": ["SocketKitIP"],
]

func module(_ name: String, in folder: String) -> Target {
  .target(
    name: "SocketKit\(name)",
    dependencies: ["CSocketKit", "SocketKitCore"] + (extraDependencies[name] ?? []),
    path: "Sources/\(folder)/\(name)",
    // Transports and pollers use public API only, as those of other packages do.
    packageAccess: false)
}

let package = Package(
  name: "SocketKit",
  products: [
    .library(name: "SocketKit", targets: ["SocketKit"]),
    .library(name: "SocketKitCore", targets: ["SocketKitCore"]),
    .library(name: "SocketKitIP", targets: ["SocketKitIP"]),
    .library(name: "SocketKitLinux", targets: ["SocketKitLinux"]),
    // Third-party transports and pollers are inlined as ours are, so they need the system calls too.
    .library(name: "CSocketKit", targets: ["CSocketKit"]),
    .library(name: "SocketKitConformance", targets: ["SocketKitConformance"]),
    .executable(name: "socketkit", targets: ["SocketKitTool"]),
  ] + (transports + pollers).map { .library(name: "SocketKit\($0)", targets: ["SocketKit\($0)"]) },
  targets: [
    .systemLibrary(name: "CSocketKit", path: "Sources/CSocketKit"),
    .target(name: "SocketKitCore", dependencies: ["CSocketKit"], path: "Sources/SocketKitCore"),
    // What TCP, UDP, SCTP and raw IP sockets share.
    .target(name: "SocketKitIP", dependencies: ["CSocketKit", "SocketKitCore"], path: "Sources/SocketKitIP"),
    // Calls of the kernel that go beyond sockets, or that few programs need.
    .target(
      name: "SocketKitLinux", dependencies: ["CSocketKit", "SocketKitCore", "SocketKitIP"],
      path: "Sources/SocketKitLinux"),
    .target(
      name: "SocketKit",
      dependencies: ["SocketKitCore", "SocketKitIP", "SocketKitLinux"]
        + (transports + pollers).map { .byName(name: "SocketKit\($0)") },
      path: "Sources/SocketKit"),
    .target(
      name: "SocketKitConformance", dependencies: ["SocketKitCore", "SocketKitIP"],
      path: "Sources/SocketKitConformance"),
    // What the benchmark compares with: plain C over glibc. Only the benchmark and its tests may use it.
    .target(name: "CSocketKitBaseline", path: "Sources/CSocketKitBaseline"),
    // The command: a folder for each subcommand, and what they share. What can be tested without running it is a module
    // of its own.
    .executableTarget(
      name: "SocketKitTool",
      dependencies: ["SocketKit", "CSocketKit", "CSocketKitBaseline", "SocketKitToolSupport"],
      path: "Sources/Tools", exclude: ["Shared", "Vscp"]),
    .target(
      name: "SocketKitToolSupport", dependencies: ["SocketKit"], path: "Sources/Tools",
      exclude: ["Bench", "Command", "Vscp/Verify/PROTOCOL.md"]),
    .target(name: "TestSupport", dependencies: ["SocketKitCore", "VsockRefusal"], path: "Tests/TestSupport"),
    // Names that end in ".test": their getaddrinfo(3), linked into the tests in front of the C library's.
    .target(name: "NameService", path: "Tests/NameService"),
    // Nothing to import: being linked is its work.
    .target(name: "VsockRefusal", path: "Tests/VsockRefusal"),
    .testTarget(name: "CoreTests", dependencies: ["TestSupport", "NameService", "SocketKit"], path: "Tests/CoreTests"),
    .testTarget(name: "TransportTests", dependencies: ["TestSupport", "SocketKit"], path: "Tests/TransportTests"),
    .testTarget(name: "PollerTests", dependencies: ["TestSupport", "SocketKit"], path: "Tests/PollerTests"),
    .testTarget(
      name: "MatrixTests", dependencies: ["TestSupport", "SocketKit", "SocketKitConformance"],
      path: "Tests/MatrixTests"),
    .testTarget(
      name: "ConformanceKitTests", dependencies: ["TestSupport", "SocketKit", "SocketKitConformance"],
      path: "Tests/ConformanceKitTests"),
    // They read files, which other tests would count as leaked descriptors: one at a time with these.
    .testTarget(name: "TidyTests", dependencies: ["TestSupport"], path: "Tests/TidyTests"),
    // Servers that die, lie, double, drop or stall, for the benchmark's tests: processes, so nothing links them.
    .executableTarget(name: "FaultyServer", dependencies: ["CSocketKitBaseline"], path: "Tests/FaultyServer"),
    .testTarget(
      name: "ToolTests",
      dependencies: ["TestSupport", "SocketKit", "CSocketKitBaseline", "SocketKitTool", "SocketKitToolSupport"],
      path: "Tests/ToolTests"),
  ] + transports.map { module($0, in: "Transports") } + pollers.map { module($0, in: "Pollers") }
)

// Building the tests takes most of a build: a contributor, and Tests/Long, may name those that are wanted, separated by
// commas.
if let wanted = Context.environment["SOCKETKIT_TEST_TARGETS"]?.split(separator: ",").map(String.init) {
  package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) }
}

for target in package.targets where target.type != .system && !target.name.hasPrefix("C") || target.type == .test {
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Every unsafe expression is marked, with its reason beside it (SE-0458).
    .strictMemorySafety(),
  ]
}
// Lists of buffers borrow their spans (@_lifetime). Clients need no flag.
for target in package.targets where target.name == "SocketKitCore" {
  target.swiftSettings?.append(.enableExperimentalFeature("Lifetimes"))
}
