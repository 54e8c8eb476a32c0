import CacheModel
import Foundation
import NIOHTTP1

/// How a Podman is set up, by its own account (v4.3.1, libpod/define/info.go).
package struct PodmanInfo: Sendable, Hashable, Decodable {
    /// Podman's version: `4.3.1`.
    package var version: String
    /// The storage driver: `vfs`.
    package var driver: String
    /// The directory that it calls its root.
    package var root: String
    /// The directory of its volumes: below the root, unless its records are private.
    package var volumePath: String
    /// Where events go: `file`, `journald`, `none`.
    package var eventLogger: String
    /// Whether it runs as an ordinary user.
    package var isRootless: Bool
    /// How many user IDs its containers have.
    package var userIDs: Int64
    /// `v1` or `v2`.
    package var cgroups: String
    /// Whether it forgets its containers when it ends; nil where the version cannot.
    package var isTransient: Bool?

    /// Makes a record from all it consists of.
    package init(
        version: String, driver: String, root: String, volumePath: String, eventLogger: String = "file",
        isRootless: Bool = true, userIDs: Int64, cgroups: String = "v2", isTransient: Bool? = nil
    ) {
        self.version = version
        self.driver = driver
        self.root = root
        self.volumePath = volumePath
        self.eventLogger = eventLogger
        self.isRootless = isRootless
        self.userIDs = userIDs
        self.cgroups = cgroups
        self.isTransient = isTransient
    }

    /// Reads Podman's JSON.
    package init(from decoder: any Decoder) throws {
        let answer = try Answer(from: decoder)
        self.init(
            version: answer.version.version, driver: answer.store.graphDriverName,
            root: answer.store.graphRoot, volumePath: answer.store.volumePath ?? "",
            eventLogger: answer.host.eventLogger ?? "", isRootless: answer.host.security?.rootless ?? true,
            userIDs: (answer.host.idMappings?.uidmap ?? []).reduce(0) { sum, range in
                sum.addingReportingOverflow(range.size).partialValue
            }, cgroups: answer.host.cgroupVersion ?? "", isTransient: answer.store.transientStore)
    }

    private struct Answer: Decodable {
        struct Host: Decodable {
            struct Mappings: Decodable {
                struct Range: Decodable { var size: Int64 }
                var uidmap: [Range]?
            }
            struct Security: Decodable { var rootless: Bool? }
            var idMappings: Mappings?
            var security: Security?
            var eventLogger: String?
            var cgroupVersion: String?
        }
        struct Store: Decodable {
            var graphDriverName: String
            var graphRoot: String
            var volumePath: String?
            var transientStore: Bool?
        }
        struct Version: Decodable {
            var version: String

            enum CodingKeys: String, CodingKey { case version = "Version" }
        }
        var host: Host
        var store: Store
        var version: Version
    }
}

extension PodmanClient {
    /// How the Podman is set up.
    package func info() async throws -> PodmanInfo {
        let answer = try await connection.send(.GET, "info")
        try check(answer, "GET info")
        return try decoded(PodmanInfo.self, answer, "GET info")
    }
}
