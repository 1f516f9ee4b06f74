// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "LengthPrefixed",
  products: [.library(name: "LengthPrefixed", targets: ["LengthPrefixed"])],
  // The name is explicit, because the folder that contains SocketKit may have any name.
  dependencies: [.package(name: "SocketKit", path: "../..")],
  targets: [
    .target(name: "LengthPrefixed", dependencies: [.product(name: "SocketKitCore", package: "SocketKit")]),
    .testTarget(
      name: "LengthPrefixedTests",
      dependencies: [
        "LengthPrefixed", .product(name: "SocketKitConformance", package: "SocketKit"),
        .product(name: "SocketKitIP", package: "SocketKit"), .product(name: "SocketKitTCP", package: "SocketKit"),
        .product(name: "SocketKitUnix", package: "SocketKit"),
      ]),
  ])

for target in package.targets {
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]
}
