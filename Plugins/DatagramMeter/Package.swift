// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "DatagramMeter",
  products: [.library(name: "DatagramMeter", targets: ["DatagramMeter"])],
  // The name is explicit, because the folder that contains SocketKit may have any name.
  dependencies: [.package(name: "SocketKit", path: "../..")],
  targets: [
    .target(name: "DatagramMeter", dependencies: [.product(name: "SocketKitCore", package: "SocketKit")]),
    .testTarget(
      name: "DatagramMeterTests",
      dependencies: [
        "DatagramMeter", .product(name: "SocketKitConformance", package: "SocketKit"),
        .product(name: "SocketKitIP", package: "SocketKit"), .product(name: "SocketKitUDP", package: "SocketKit"),
        .product(name: "SocketKitEpoll", package: "SocketKit"),
      ]),
  ])

for target in package.targets {
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]
}
