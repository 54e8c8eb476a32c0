import CacheModel

/// An entry of a local repository that a tool other than Maven fetched into it.
///
/// Such tools write no `_remote.repositories`, and fetch again what is not there. What Maven itself, or a person, installed
/// under the same name has that file.
///
/// | tool | directory | files |
/// |---|---|---|
/// | frontend-maven-plugin (`RepositoryCacheResolver`) | `com/github/eirslett/<program>/<version>` | `<program>-<version>[-<platform>].<archive>` |
/// | Robolectric (`MavenArtifactFetcher`) | `org/robolectric/android-all…/<version>` | `.jar` and `.pom`, with `.sha512` |
package struct UntrackedDownload: Sendable, Hashable {
    private enum Tool { case frontend, robolectric }

    private let tool: Tool
    private let artifact: String
    private let version: String

    /// Nil for a directory that is none of these.
    package init?(_ path: VolumePath) {
        let names = path.components.suffix(5).map { String(decoding: $0, as: UTF8.self) }
        guard names.count >= 4 else { return nil }
        (artifact, version) = (names[names.count - 2], names[names.count - 1])
        let group = names.dropLast(2)
        if group.suffix(3) == ["com", "github", "eirslett"],
            ["node", "npm", "yarn", "pnpm", "corepack", "bun"].contains(artifact)
        {
            tool = .frontend
        } else if group.suffix(2) == ["org", "robolectric"],
            ["android-all", "android-all-instrumented"].contains(artifact)
        {
            tool = .robolectric
        } else {
            return nil
        }
    }

    /// What it is and who fetches it again, in a few words.
    package var text: String {
        switch tool {
        case .frontend: "an archive of \(artifact), which frontend-maven-plugin fetches again"
        case .robolectric: "Android classes for tests, which Robolectric fetches again"
        }
    }

    /// Whether a file in the directory is one that the tool puts there.
    package func isFetched(_ file: UnsafeBufferPointer<UInt8>) -> Bool {
        let name = String(decoding: file, as: UTF8.self)
        guard name.hasPrefix("\(artifact)-\(version)") else { return false }
        let endings =
            switch tool {
            case .frontend: [".tar.gz", ".tgz", ".tar.xz", ".zip", ".7z", ".exe", ".msi"]
            case .robolectric: [".jar", ".pom"]
            }
        return endings.contains(where: name.hasSuffix)
    }
}
