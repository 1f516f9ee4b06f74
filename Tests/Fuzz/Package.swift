// swift-tools-version: 6.2
import PackageDescription

// Fuzz targets, apart from the root package because they need the sanitizer's own main function. Run: see `run`.
let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "SocketKit", path: "../..")],
  targets: [
    .executableTarget(
      name: "fuzz-addresses",
      dependencies: [
        .product(name: "SocketKitCore", package: "SocketKit"),
        .product(name: "CSocketKit", package: "SocketKit"),
      ],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])])
  ]
)
