// swift-tools-version:6.1
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .unsafeFlags(["-warnings-as-errors"])]

/// A part of Larder.
///
/// `DESIGN.md`'s rule: dependencies point one way, and the pure parts import no I/O.
func part(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["CacheModel", "TestSupport"], path: path, exclude: exclude,
        swiftSettings: strict)
}

let package = Package(
    name: "larder",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "larder", targets: ["larder"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        part("CacheModel", []),
        part("DirectoryAccess", ["CacheModel", "CLinux"]),
        part("TOMLSettings", [.product(name: "TOMLKit", package: "TOMLKit")]),
        part("Eviction", ["CacheModel"]),
        part("Sizing", ["CacheModel", "Eviction"]),
        part("VolumeScanning", ["CacheModel", "CLinux", "DirectoryAccess"]),
        part(
            "UsageEvidence",
            [
                "CacheModel", "CLinux", "DirectoryAccess", .product(name: "Crypto", package: "swift-crypto"),
            ]),
        part(
            "CacheIndex",
            [
                "CacheModel", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            resources: [
                .embedInCode("../../migrations/0001_index.sql"),
                .embedInCode("../../migrations/0002_ingest.sql"),
                .embedInCode("../../migrations/0003_verify.sql"),
                .embedInCode("../../migrations/0004_orphans.sql"),
                .embedInCode("../../migrations/0007_daemon.sql"),
                .embedInCode("../../migrations/0009_reasons.sql"),
            ]),
        part(
            "PodmanClient",
            [
                "CacheModel",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                "TOMLSettings",
            ]),
        part(
            "Maintenance",
            [
                "CacheIndex", "CacheModel", "CLinux", "DirectoryAccess", "Eviction", "PodmanClient",
                "UsageEvidence", "VolumeScanning", .product(name: "Crypto", package: "swift-crypto"),
            ]),
        part(
            "RunnerLint", ["TOMLSettings"],
            resources: [.embedInCode("runner-keys.txt")]),
        part("Reporting", ["CacheModel", "Eviction", "RunnerLint", "Sizing"]),
        part(
            "Daemon",
            [
                "CLinux", "CacheIndex", "CacheModel", "DirectoryAccess", "Eviction", "Maintenance",
                "PodmanClient", "Reporting", "Sizing", "UsageEvidence", "VolumeScanning",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "larder",
            dependencies: [
                "CLinux", "CacheIndex", "CacheModel", "Daemon", "Eviction", "Maintenance", "PodmanClient",
                "Reporting", "RunnerLint", "Sizing", "UsageEvidence", "VolumeScanning",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "EvidenceBenchmark",
            dependencies: ["CacheIndex", "CacheModel", "DirectoryAccess", "UsageEvidence", "VolumeScanning"],
            path: "Tests/Benchmarks/EvidenceBenchmark", swiftSettings: strict),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        tests("CacheIndexTests", ["CacheIndex", .product(name: "GRDB", package: "GRDB.swift")]),
        tests("EvictionTests", ["Eviction"]),
        tests("SizingTests", ["Sizing"]),
        tests("VolumeScanningTests", ["DirectoryAccess", "VolumeScanning"]),
        tests("VfsStoreTests", ["DirectoryAccess", "VolumeScanning"]),
        tests(
            "UsageEvidenceTests",
            [
                "CLinux", "CacheIndex", "DirectoryAccess", "Maintenance", "UsageEvidence", "VolumeScanning",
            ]),
        tests("PodmanClientTests", ["PodmanClient"], exclude: ["tls_registry.py"]),
        tests(
            "MaintenanceTests",
            [
                "CacheIndex", "CLinux", "DirectoryAccess", "Eviction", "Maintenance", "PodmanClient",
                "UsageEvidence", "VolumeScanning",
            ]),
        tests("VerificationTests", ["CacheIndex", "CLinux", "DirectoryAccess", "Maintenance"]),
        tests("SafetyTests", ["larder"]),
        tests(
            "FuzzTests",
            [
                "DirectoryAccess", "larder", "Maintenance", "PodmanClient", "Reporting", "RunnerLint",
                "UsageEvidence", "VolumeScanning",
            ]),
        tests("WarmTests", ["CacheIndex", "Eviction", "larder", "Maintenance", "PodmanClient", "Reporting"]),
        tests("ReportingTests", ["Eviction", "Reporting", "Sizing"]),
        tests(
            "DaemonTests",
            [
                "CacheIndex", "Daemon", "Eviction", "Maintenance", "Reporting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("RunnerLintTests", ["Reporting", "RunnerLint"]),
        tests("Integration", ["Daemon", "larder"], exclude: ["adopt.py"]),
        tests(
            "ConfigurationTests",
            [
                "larder", .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ]),
    ]
)
