// swift-tools-version: 6.3
import PackageDescription

let kit = [
  "CSocketKit", "SocketKitCore", "SocketKitIP", "SocketKitEpoll", "SocketKitPoll", "SocketKitBusySpin",
  "SocketKitSCTP", "SocketKitTCP", "SocketKitUDP", "SocketKitUnix", "SocketKitVsock",
]

let package = Package(
  name: "OutsideClient",
  dependencies: [
    .package(name: "SocketKit", path: "../../.."),
    .package(path: "../../../Plugins/DatagramMeter"),
    .package(path: "../../../Plugins/LengthPrefixed"),
    .package(path: "../../../Plugins/MultipathTCP"),
  ],
  targets: [
    // The loop that the count gates compare with. It includes SocketKit's own system calls.
    .target(name: "CounterLoop"),
    .executableTarget(
      name: "outside",
      dependencies: [
        "CounterLoop", .product(name: "DatagramMeter", package: "DatagramMeter"),
        .product(name: "LengthPrefixed", package: "LengthPrefixed"),
        .product(name: "MultipathTCP", package: "MultipathTCP"),
      ] + kit.map { .product(name: $0, package: "SocketKit") }),
    // What the specialization check must report: the check's own test.
    .target(name: "OpaqueParts", dependencies: [.product(name: "SocketKitCore", package: "SocketKit")]),
    .executableTarget(
      name: "MustFail",
      dependencies: ["OpaqueParts"] + kit.map { .product(name: $0, package: "SocketKit") }),
  ])

for target in package.targets where target.name != "CounterLoop" {
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]
}
