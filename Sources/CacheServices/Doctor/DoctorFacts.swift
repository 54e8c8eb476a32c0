import CacheModel
import PodmanClient

/// All that `larder doctor` looks at, as it was found: `Doctor` judges it, and looks at nothing itself.
struct DoctorFacts: Sendable, Equatable {
    /// This process, and what the kernel lets it do.
    struct Process: Sendable, Equatable {
        var uid: UInt32 = 1001
        var user: String? = "ci"
        var hasNoNewPrivileges = false
        var boundingSet: UInt64 = 0
        var effective: UInt64 = 0
        /// 0 none, 1 strict, 2 a filter; nil where unknown.
        var seccomp: Int? = 0
        var home: String? = "/tmp"
        var isInCluster = false
    }

    /// The kernel and its settings.
    struct Kernel: Sendable, Equatable {
        var release = "6.1.0"
        var maxUserNamespaces: Int64? = 1000
        /// Debian's switch; nil where there is none.
        var unprivilegedClone: Int64?
        /// Ubuntu's switch; nil where there is none.
        var apparmorRestrict: Int64?
        /// What a try gave, as errno: see `larder_probe_userns`; nil where it could not be tried.
        var userNamespace: Int32? = 0
        var mount: Int32? = 0
        var proc: Int32? = 0
        var cgroups: Int? = 2
        var hasTun = true
        var hasFuse = true
        /// How many subordinate IDs the user has; nil where the file cannot be read.
        var subuids: Int64? = 65536
        var subgids: Int64? = 65536
        /// A line of subordinate IDs that this user namespace does not have, as a pod's beyond 65,535.
        var absentSubordinates: String?
        var newuidmap: IDMapTool = .capabilities
    }

    /// How `newuidmap` may write a map.
    enum IDMapTool: Sendable, Equatable { case absent, plain, setuid, capabilities }

    /// A mounted file system.
    struct Mount: Sendable, Equatable {
        var type = "ext4"
        var options: Set<String> = ["rw", "relatime"]
        var device: UInt64 = 1
        /// The name of the network file system; nil for a local one.
        var network: String?
        var capacity = Capacity(
            total: ByteCount(100 << 30), available: ByteCount(50 << 30), free: ByteCount(50 << 30),
            inodes: 1_000_000, freeInodes: 500_000)
    }

    /// A volume.
    struct VolumeFacts: Sendable, Equatable {
        var volume: Volume
        /// Nil where nothing is there.
        var mount: Mount?
        /// Whether the path is a mount point, and not a directory of another volume.
        var owner: UInt32 = 1001
        var mode: UInt32 = 0o755
        /// Why Larder's folder cannot be used; nil where it can.
        var folderFailure: String?
        var isHeld = false
        var evidence: EvidenceQuality?
        /// Gradle homes with a journal, and what is wrong with those that cannot be read.
        var journals: [String: String] = [:]
        var eventLogs = 0
        var lastScan: Timestamp?
        /// What the last scan said of entries that cannot be moved; nil where all can.
        var immovable: ScanWarning?
        /// What a purge of the trash could not remove to its end.
        var unpurged: [Trash.UnpurgedEntry] = []
        var store: Store?
    }

    /// An image store.
    struct Store: Sendable, Equatable {
        /// Why its records cannot be read.
        var failure: String?
        var problems: [String] = []
        var driver = "vfs"
        /// What the last scan could not explain of what the file system says is used.
        var unaccounted: [UnaccountedSpace] = []
        /// Keep patterns that match no image.
        var idlePatterns: [String] = []
        var images = 0
        var containers = 0
        var orphans: [Orphan] = []
        /// Layers that a Podman takes for whole, and whose directories are gone.
        var layersWithoutDirectory: [String] = []
        /// Whether a Podman keeps its own records in it.
        var holdsPodmanRecords = false
        var heldLock: String?
        var otherDrivers: [String] = []
        var socket: Socket?
    }

    /// The socket of the Podman that serves a store.
    struct Socket: Sendable, Equatable {
        var path: String
        /// Its mode; nil where nothing is there.
        var mode: UInt32?
        var isSocket = true
        /// What the file system is that it lies on.
        var fileSystem: String?
        var version: String?
        var failure: String?
        var info: PodmanInfo?
        var infoFailure: String?
    }

    /// The directory of the index.
    struct State: Sendable, Equatable {
        var path: String
        var isWritable = true
        var exists = true
        var network: String?
        var device: UInt64 = 2
        var available = ByteCount(10 << 30)
        var hasReserve = true
        var indexFailure: String?
    }

    var now: Timestamp
    var process = Process()
    var kernel = Kernel()
    var files = PodmanFiles()
    var volumes: [VolumeFacts] = []
    var state: State
}
