// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "Minimal",
  products: [.library(name: "Minimal", targets: ["Minimal"])],
  // The name is explicit, because the folder that contains SocketKit may have any name.
  dependencies: [.package(name: "SocketKit", path: "../..")],
  targets: [
    .target(
      name: "Minimal",
      dependencies: [
        .product(name: "SocketKitCore", package: "SocketKit"), .product(name: "SocketKitIP", package: "SocketKit"),
      ]),
    .testTarget(
      name: "MinimalTests",
      dependencies: [
        "Minimal", .product(name: "SocketKitConformance", package: "SocketKit"),
        .product(name: "SocketKitEpoll", package: "SocketKit"), .product(name: "SocketKitIP", package: "SocketKit"),
        .product(name: "SocketKitTCP", package: "SocketKit"),
      ]),
  ])

for target in package.targets {
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]
}
