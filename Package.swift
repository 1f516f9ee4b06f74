// swift-tools-version: 6.3
import PackageDescription

// One module for each transport and poller, so that a program compiles only the ones that it uses.
let transports = ["Raw", "SCTP", "TCP", "UDP", "Unix", "Vsock"]
let pollers = ["Epoll", "Poll", "BusySpin"]
// The modules that a module needs in addition to SocketKitCore.
let extraDependencies: [String: [Target.Dependency]] = [
  "BusySpin": ["SocketKitEpoll"], "Raw": ["SocketKitIP"], "SCTP": ["SocketKitIP"], "TCP": ["SocketKitIP"],
  "UDP": ["SocketKitIP"],
]

func module(_ name: String, in folder: String) -> Target {
  .target(
    name: "SocketKit\(name)",
    dependencies: ["CSocketKit", "SocketKitCore"] + (extraDependencies[name] ?? []),
    path: "Sources/\(folder)/\(name)",
    // Our transports and pollers use public API only, as those of other packages must.
    packageAccess: false)
}

let package = Package(
  name: "SocketKit",
  products: [
    .library(name: "SocketKit", targets: ["SocketKit"]),
    .library(name: "SocketKitCore", targets: ["SocketKitCore"]),
    .library(name: "SocketKitIP", targets: ["SocketKitIP"]),
    .library(name: "SocketKitLinux", targets: ["SocketKitLinux"]),
    // Inlinable code of third-party transports and pollers also calls these functions.
    .library(name: "CSocketKit", targets: ["CSocketKit"]),
    .library(name: "SocketKitConformance", targets: ["SocketKitConformance"]),
    .executable(name: "socketkit", targets: ["SocketKitTool"]),
  ] + (transports + pollers).map { .library(name: "SocketKit\($0)", targets: ["SocketKit\($0)"]) },
  targets: [
    .systemLibrary(name: "CSocketKit", path: "Sources/CSocketKit"),
    .target(name: "SocketKitCore", dependencies: ["CSocketKit"], path: "Sources/SocketKitCore"),
    // The parts that TCP, UDP, SCTP and raw IP sockets share.
    .target(name: "SocketKitIP", dependencies: ["CSocketKit", "SocketKitCore"], path: "Sources/SocketKitIP"),
    // System calls that are not about sockets, or that few programs need.
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
    // The C programs over glibc to which the benchmark compares SocketKit. Only the benchmark and its tests use them.
    .target(name: "CSocketKitBaseline", path: "Sources/CSocketKitBaseline"),
    // The command socketkit, with a folder for each subcommand. The parts that tests can call are a separate module.
    .executableTarget(
      name: "SocketKitTool",
      dependencies: ["SocketKit", "CSocketKit", "CSocketKitBaseline", "SocketKitToolSupport"],
      path: "Sources/Tools", exclude: ["Shared", "Vscp"]),
    .target(
      name: "SocketKitToolSupport", dependencies: ["SocketKit"], path: "Sources/Tools",
      exclude: ["Bench", "Command", "Vscp/Verify/PROTOCOL.md"]),
    .target(name: "TestSupport", dependencies: ["SocketKitCore", "VsockRefusal"], path: "Tests/TestSupport"),
    // A getaddrinfo(3) that answers for names ending in ".test". The tests link it before the C library.
    .target(name: "NameService", path: "Tests/NameService"),
    // Installs a system call filter, so that no test can open an AF_VSOCK socket. It is linked, and never imported.
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
    // These tests open files, which the leak checks of other tests would count, so the suites take turns.
    .testTarget(name: "TidyTests", dependencies: ["TestSupport"], path: "Tests/TidyTests"),
    // Faulty servers for the tests of the benchmark, which start them as processes.
    .executableTarget(name: "FaultyServer", dependencies: ["CSocketKitBaseline"], path: "Tests/FaultyServer"),
    .testTarget(
      name: "ToolTests",
      dependencies: ["TestSupport", "SocketKit", "CSocketKitBaseline", "SocketKitTool", "SocketKitToolSupport"],
      path: "Tests/ToolTests"),
  ] + transports.map { module($0, in: "Transports") } + pollers.map { module($0, in: "Pollers") }
)

// Most of the time of a build is for the tests. This variable names the wanted test targets, separated by commas.
if let wanted = Context.environment["SOCKETKIT_TEST_TARGETS"]?.split(separator: ",").map(String.init) {
  package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) }
}

for target in package.targets where target.type != .system && !target.name.hasPrefix("C") || target.type == .test {
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // The keyword `unsafe` marks every unsafe expression (SE-0458). A comment states why the expression is correct.
    .strictMemorySafety(),
  ]
}
// The types that list buffers borrow spans (@_lifetime). Clients need no flag.
for target in package.targets where target.name == "SocketKitCore" {
  target.swiftSettings?.append(.enableExperimentalFeature("Lifetimes"))
}
