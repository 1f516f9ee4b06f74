// swift-tools-version: 6.3
import PackageDescription

// Programs that check the package from outside, by its public API: `stress` is run by Tests/Long/run, `transcripts` by
// Tests/Transcripts/run. One package for both, so that the library is built once for them.
let package = Package(
  name: "Programs",
  dependencies: [.package(name: "SocketKit", path: "../..")],
  targets: [
    // What Glibc's module lacks.
    .target(name: "CPrograms"),
    .executableTarget(
      name: "stress", dependencies: ["CPrograms", .product(name: "SocketKit", package: "SocketKit")]),
    .executableTarget(
      name: "transcripts", dependencies: ["CPrograms", .product(name: "SocketKit", package: "SocketKit")]),
  ])

for target in package.targets where target.name != "CPrograms" {
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]
}
