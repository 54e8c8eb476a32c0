import CacheModel
import Caches
import FileAccess
import Glibc

/// Which files in an entry's directory are the tool's own, so that what is none of them could not be fetched again.
///
/// Maven keeps files in a version's directory alone, which begin with the artifact's name; Gradle keeps those of a module
/// in the directories that are named by a SHA-1. The inside of other entries is their tool's own business.
struct ToolFiles {
    /// What is said of an entry that holds another file.
    static let refusal = "it holds files that no tool put there"

    let entry: ScannedEntry

    /// How deep in a Gradle entry lie the directories that are named by a SHA-1: a replaced build is one itself.
    private var hashDepth: Int { entry.traits.contains(.part) ? 0 : 1 }

    /// Whether the tool keeps files in a directory of that name, which lies in one that is `depth` below the entry's.
    func mayLie(in name: [UInt8], _ depth: Int) -> Bool {
        switch entry.pool {
        case .maven: false
        case .gradle: depth + 1 == hashDepth && CacheLayouts.isGradleFileHash(name)
        default: true
        }
    }

    /// Whether the tool keeps files in the entry's directories at that depth.
    func mayLie(atDepth depth: Int) -> Bool { entry.pool == .gradle ? depth == hashDepth : true }

    /// Whether a file of a Maven version is called by its artifact.
    func isNamedByArtifact(_ name: some Collection<UInt8>) -> Bool {
        name.starts(with: entry.path.parent.name + [UInt8(ascii: "-")])
    }

    /// The first file in an entry that no tool put there; nil where there is none, and where it cannot be looked for.
    func foreign(below root: OpenDirectory) -> VolumePath? {
        guard FileUnits(entry) == nil, let top = try? root.open(entry.path) else { return nil }
        var stack = [(directory: top, path: entry.path, depth: 0, isTools: true)]
        // A look, and no search: descriptors and time stay small.
        var left = 1000
        while let (directory, path, depth, isTools) = stack.popLast(), left > 0 {
            left -= 1
            for name in ((try? directory.names()) ?? []).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                guard let stat = try? directory.stat(name) else { continue }
                let raw = name.dropLast().map(UInt8.init(bitPattern:))
                if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) {
                    guard stack.count < 100, let next = try? directory.open(name) else { continue }
                    stack.append((next, path.appending(raw), depth + 1, isTools && mayLie(in: raw, depth)))
                } else if !isTools || !mayLie(atDepth: depth) || isStray(raw) {
                    return path.appending(raw)
                }
            }
        }
        return nil
    }

    private func isStray(_ name: [UInt8]) -> Bool {
        entry.pool == .maven && name.withUnsafeBufferPointer { FileNames.isArtifact($0) }
            && !isNamedByArtifact(name)
    }
}
