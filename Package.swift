// swift-tools-version:6.1
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .unsafeFlags(["-warnings-as-errors"])]

/// A part of Larder.
///
/// Dependencies point one way, from what does I/O and prints to what is pure.
func part(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["CacheModel", "TestSupport"], exclude: exclude,
        swiftSettings: strict)
}

/// Whether this is the build of `Tests/Fuzz/run`, which has no tests but those.
let isFuzzing = Context.environment["LARDER_FUZZ_BUILD"] != nil

// Exact versions: the resolved file is not committed, so this is the only place that fixes them.
let package = Package(
    name: "larder",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "larder", targets: ["larder"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CNettle", providers: [.apt(["nettle-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        part("CacheModel", []),
        part("Digests", ["CNettle"]),
        part("FileAccess", ["CacheModel", "CLinux"]),
        part("TOMLSettings", [.product(name: "TOMLKit", package: "TOMLKit")]),
        part("Caches", ["CacheModel", "CLinux", "Digests", "FileAccess"]),
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
                .embedInCode("../../migrations/0005_daemon.sql"),
                .embedInCode("../../migrations/0006_reasons.sql"),
                .embedInCode("../../migrations/0007_history.sql"),
                .embedInCode("../../migrations/0008_image_stores.sql"),
                .embedInCode("../../migrations/0009_builds.sql"),
                .embedInCode("../../migrations/0010_inodes.sql"),
                .embedInCode("../../migrations/0011_trash.sql"),
                .embedInCode("../../migrations/0012_limits.sql"),
                .embedInCode("../../migrations/0013_projects.sql"),
                .embedInCode("../../migrations/0014_unaccounted.sql"),
                .embedInCode("../../migrations/0015_file_systems.sql"),
                .embedInCode("../../migrations/0016_arrivals.sql"),
                .embedInCode("../../migrations/0017_returns.sql"),
                .embedInCode("../../migrations/0018_unmanaged.sql"),
            ]),
        part(
            "PodmanClient",
            [
                "CacheModel", "Digests", "TOMLSettings",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        part(
            "RunnerLint", ["TOMLSettings", .product(name: "Yams", package: "Yams")],
            resources: [.embedInCode("runner-keys.txt")]),
        part("Reporting", ["CacheModel", "Caches", "RunnerLint"]),
        part(
            "CacheServices",
            [
                "CacheIndex", "CacheModel", "Caches", "CLinux", "CZlib", "Digests", "FileAccess",
                "PodmanClient",
                "Reporting", "RunnerLint",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        part(
            "Daemon",
            [
                "CLinux", "CacheIndex", "CacheModel", "CacheServices", "Caches", "FileAccess", "Reporting",
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
                "CLinux", "CacheIndex", "CacheModel", "CacheServices", "Caches", "Daemon", "FileAccess",
                "PodmanClient", "Reporting", "RunnerLint",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "EvidenceBenchmark", dependencies: ["CacheIndex", "CacheModel", "Caches", "FileAccess"],
            path: "Tests/Benchmarks/EvidenceBenchmark", swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["CacheModel", "Caches", "FileAccess"],
            path: "Tests/TestSupport", exclude: ["write_journal.py"], swiftSettings: strict),
        tests("CacheModelTests", []),
        tests("CachesTests", ["Caches", "CLinux", "FileAccess"]),
        tests(
            "CacheIndexTests",
            [
                "CacheIndex", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        tests("PodmanClientTests", ["PodmanClient"], exclude: ["tls_registry.py"]),
        tests(
            "CacheServicesTests",
            ["CacheIndex", "CacheServices", "Caches", "CLinux", "Digests", "FileAccess", "PodmanClient"],
            exclude: ["Configuration/cron_oracle.py"]),
        tests("SafetyTests", ["larder"]),
        tests(
            "FuzzTests",
            [
                "CacheIndex", "CacheServices", "Caches", "Daemon", "Digests", "FileAccess", "larder",
                "PodmanClient", "Reporting", "RunnerLint",
            ]),
        tests("WarmTests", ["CacheIndex", "CacheServices", "Caches", "larder", "PodmanClient", "Reporting"]),
        tests("ReportingTests", ["Reporting"]),
        tests(
            "DaemonTests",
            [
                "CacheIndex", "CacheServices", "Daemon", "Reporting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("RunnerLintTests", ["Reporting", "RunnerLint"]),
        tests("Integration", ["CacheServices", "Daemon", "larder"], exclude: ["adopt.py"]),
        tests(
            "ConfigurationTests",
            [
                "CacheServices", "Daemon", "larder", .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ]),
    ]
)

if isFuzzing { package.targets.removeAll { $0.type == .test && $0.name != "FuzzTests" } }
