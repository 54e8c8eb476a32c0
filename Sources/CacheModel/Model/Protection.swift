/// Why an entry is kept whatever the quota says.
package enum Protection: String, Sendable, Hashable, CaseIterable, Codable {
    /// Installed on the spot, or of unknown origin: it could not be fetched again.
    case locallyInstalled = "locally-installed"
    /// A download into it is under way: it holds `.part`, `.tmp` or `.lock` files.
    case inFlight = "in-flight"
    /// Its directory holds other entries.
    case holdsEntries = "holds-entries"
    /// A part of it could not be read, so that neither its size nor its use is known.
    case unreadable
    /// Another user owns its tracking file, so that it cannot be read without leaving a false access time.
    case foreignOwner = "foreign-owner"
    /// A container uses the image.
    case inUse = "in-use"
    /// The image's records or layers are incomplete: its removal could not be foreseen.
    case damaged
    /// The Gradle home's lock is held: a build is running.
    case gradleRunning = "gradle-running"
    /// Used or fetched more recently than the idle floor.
    case idleFloor = "idle-floor"
    /// The key matches a configured pattern.
    case keepPattern = "keep-pattern"
    /// Pulled ahead of need and not used yet.
    case warmed
    /// Its removal would free nothing while other images share its layers.
    case sharedLayers = "shared-layers"
    /// Reads of it leave no trace, so that it may be in use at this moment.
    case noEvidence = "no-evidence"
    /// Nothing says where it came from: the repository keeps no `_remote.repositories`.
    case untracked
    /// Put there by hand: no tool's mark says that it was downloaded.
    case handPlaced = "hand-placed"
    /// In a read-only dependency cache, which builds read without any lock while it must not change.
    case readOnlyCache = "read-only-cache"
    /// Its removal would free little while other entries, or files outside of entries, share its files by hard links.
    case sharedFiles = "shared-files"
    /// Larder may not write in its directory, so that it cannot be moved.
    case notMovable = "not-movable"
    /// It holds files that neither Maven nor Gradle put there, which nothing could fetch again.
    case foreignFiles = "foreign-files"

    /// The reason in a few words.
    package var text: String {
        switch self {
        case .locallyInstalled: "installed locally, cannot be fetched again"
        case .inFlight: "a download into it is under way"
        case .holdsEntries: "its directory holds other entries"
        case .unreadable: "a part of it cannot be read"
        case .foreignOwner: "owned by another user, its origin cannot be checked"
        case .inUse: "a container uses it"
        case .damaged: "its records in the store are incomplete"
        case .gradleRunning: "a Gradle build holds the lock of its home"
        case .idleFloor: "used or fetched within the idle floor"
        case .keepPattern: "matches a keep pattern"
        case .warmed: "warmed and not used yet"
        case .sharedLayers: "removal frees nothing: its layers are shared"
        case .sharedFiles: "removal frees little: its files have other names (hard links)"
        case .notMovable: "its directory cannot be written by Larder, so that nothing in it can be moved"
        case .foreignFiles: "holds files that no tool put there"
        case .untracked: "no _remote.repositories says where it came from"
        case .handPlaced: "put there by hand, cannot be fetched again"
        case .readOnlyCache: "in a read-only dependency cache, which must not change while builds read it"
        case .noEvidence: "reads of it leave no trace (access times): it may be in use"
        }
    }
}

/// A set of protections in one machine word, as the index keeps it.
package struct Protections: OptionSet, Sendable, Hashable {
    /// One bit for each case, in the order of declaration.
    ///
    /// The order is part of the index's format.
    package let rawValue: Int64

    /// Takes the bits.
    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// The set of that one protection.
    package init(_ protection: Protection) {
        self.init(rawValue: 1 << Int64(Protection.allCases.firstIndex(of: protection) ?? 63))
    }

    /// The protections in the set, in the order of declaration.
    package var all: [Protection] { Protection.allCases.filter { contains(Protections($0)) } }
}
