// swift-tools-version:6.1
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .unsafeFlags(["-warnings-as-errors"])]

let package = Package(
    name: "larder",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "larder", targets: ["larder"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .target(name: "CacheModel", swiftSettings: strict),
        .target(name: "Eviction", dependencies: ["CacheModel"], swiftSettings: strict),
        .target(name: "VolumeScanning", dependencies: ["CacheModel", "CLinux"], swiftSettings: strict),
        .target(name: "UsageEvidence", dependencies: ["CacheModel", "CLinux"], swiftSettings: strict),
        .target(
            name: "CacheIndex",
            dependencies: ["CacheModel", .product(name: "GRDB", package: "GRDB.swift")],
            resources: [.embedInCode("../../migrations/0001_index.sql")],
            swiftSettings: strict),
        .target(
            name: "PodmanClient",
            dependencies: [
                "CacheModel",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "Maintenance",
            dependencies: [
                "CacheModel", "CLinux", "CacheIndex", "Eviction", "PodmanClient", "UsageEvidence",
                "VolumeScanning",
            ],
            swiftSettings: strict),
        .target(name: "Reporting", dependencies: ["CacheModel", "Eviction"], swiftSettings: strict),
        .executableTarget(
            name: "larder",
            dependencies: [
                "CacheIndex", "CacheModel", "Eviction", "Maintenance", "PodmanClient", "Reporting",
                "UsageEvidence", "VolumeScanning",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
    ]
)
