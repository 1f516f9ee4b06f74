// swift-tools-version: 6.3
import PackageDescription

// Fuzz targets, apart from the root package because they need the sanitizer's own main function. Run: see `run`.
func fuzzer(_ name: String) -> Target {
  .executableTarget(
    name: name,
    dependencies: [
      "FuzzDriver", .product(name: "SocketKit", package: "SocketKit"),
      .product(name: "SocketKitCore", package: "SocketKit"), .product(name: "SocketKitIP", package: "SocketKit"),
      .product(name: "CSocketKit", package: "SocketKit"),
    ],
    swiftSettings: [.unsafeFlags(["-parse-as-library"])],
    linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])])
}

let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "SocketKit", path: "../..")],
  targets: [
    .target(name: "FuzzDriver"), fuzzer("fuzz-addresses"), fuzzer("fuzz-endpoints"), fuzzer("fuzz-ancillary"),
    fuzzer("fuzz-sctp"),
  ])
