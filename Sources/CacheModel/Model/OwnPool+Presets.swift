extension OwnPool {
    /// Where known tools keep what they can fetch or make again, and what of it goes by itself.
    ///
    /// - `gradle-daemon-logs`: `<home>/daemon/<version>/daemon-<pid>.out.log` (gradle/gradle `DaemonLogConstants`); the
    ///   registries beside them stay.
    /// - `npm`: the content of npm's cache, which it fetches again where the index names what is gone (npm/pacote
    ///   `isRetriableError`: ENOENT), and the packages of `npx`.
    /// - `konan`: compilers and dependencies of Kotlin/Native; what its list `.extracted` names and is gone is fetched
    ///   again (JetBrains/kotlin `DependencyProcessor`).
    /// - `ivy`: modules in Ivy's cache, `cache/<organisation>/<module>`; what was published to `local` stays.
    /// - `coursier`: files in Coursier's cache, which lie there by their address (`v1/https/<host>/…`).
    /// - `sonar`: files of the Sonar scanner, each in a directory called by its hash (`cache/<hash>`).
    /// - `maven-build-cache`: builds by the checksum of their sources, `v1/<group>/<artifact>/<checksum>`
    ///   (apache/maven-build-cache-extension `LocalCacheRepositoryImpl`).
    /// - `runner-cache-zip`: the archives of GitLab Runner's local cache, `<project>/<key>/cache.zip`.
    package static let presets: [(name: String, rules: [(path: String, unit: Unit)])] = [
        ("gradle-daemon-logs", [("**/daemon/*/daemon-*.out.log", .file)]),
        ("npm", [("**/_cacache/content-v2", .file), ("**/.npm/_npx", .directory(depth: 1))]),
        (
            "konan",
            [
                ("**/.konan/kotlin-native-*", .directory(depth: 0)),
                ("**/.konan/dependencies", .directory(depth: 1)),
            ]
        ),
        ("ivy", [("**/.ivy2/cache", .directory(depth: 2))]),
        ("coursier", [("**/coursier/v1", .file)]),
        ("sonar", [("**/.sonar/cache", .directory(depth: 1))]),
        ("maven-build-cache", [("**/build-cache/v*", .directory(depth: 3))]),
        ("runner-cache-zip", [("**/cache.zip", .file)]),
    ]

    /// The rules of a preset; nil where there is none of that name.
    package static func rules(ofPreset name: String) -> [Rule]? {
        presets.first { $0.name == name }?.rules.compactMap { rule in
            PathPattern(rule.path).map { Rule($0, unit: rule.unit) }
        }
    }
}
