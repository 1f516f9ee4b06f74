// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "MultipathTCP",
  products: [.library(name: "MultipathTCP", targets: ["MultipathTCP"])],
  // The name is explicit, because the folder that contains SocketKit may have any name.
  dependencies: [.package(name: "SocketKit", path: "../..")],
  targets: [
    .target(
      name: "MultipathTCP",
      dependencies: [
        .product(name: "SocketKitCore", package: "SocketKit"), .product(name: "SocketKitIP", package: "SocketKit"),
        .product(name: "CSocketKit", package: "SocketKit"),
        // For the TCP options, which these sockets support too.
        .product(name: "SocketKitTCP", package: "SocketKit"),
      ]),
    .testTarget(
      name: "MultipathTCPTests",
      dependencies: [
        "MultipathTCP", .product(name: "SocketKitConformance", package: "SocketKit"),
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
