import CacheModel
import TestSupport
import Testing

@testable import CacheServices
@testable import PodmanClient

/// What each fact means, one at a time.
@Suite struct DoctorTests {
    typealias Case = (check: String, state: Diagnosis.State, change: @Sendable (inout DoctorFacts) -> Void)

    /// A cluster where all is well.
    static var sound: DoctorFacts {
        var facts = DoctorTierTests.full
        facts.process.isInCluster = true
        var build = DoctorFacts.VolumeFacts(volume: Volume(name: "build", kind: .buildCache, path: "/cache"))
        build.mount = DoctorFacts.Mount(device: 10)
        build.evidence = EvidenceQuality(.high)
        build.journals = ["": ""]
        var images = DoctorFacts.VolumeFacts(
            volume: Volume(name: "images", kind: .imageStore, path: "/podman-data/storage"))
        images.mount = DoctorFacts.Mount(device: 11)
        images.eventLogs = 1
        var socket = DoctorFacts.Socket(path: "/sockets/podman.sock", mode: 0o600, fileSystem: "tmpfs")
        socket.version = "5.8.2"
        socket.info = PodmanInfo(
            version: "5.8.2", driver: "vfs", root: "/podman-data/storage", volumePath: "/tmp/podman/volumes",
            userIDs: 65537)
        images.store = DoctorFacts.Store(images: 3, socket: socket)
        facts.volumes = [build, images]
        return facts
    }

    @Test func whereAllIsWellNothingIsSaid() {
        let diagnosis = Doctor(facts: Self.sound).diagnosis()
        #expect(diagnosis.findings.allSatisfy { $0.state == .ok && $0.why.isEmpty && $0.cure.isEmpty })
        #expect(diagnosis.tier == .full && diagnosis.obstacle == nil)
    }

    @Test func aVolumeThatIsOnlyLookedAtIsNoProblem() {
        var facts = Self.sound
        facts.volumes[0].volume.isReadOnly = true
        (facts.volumes[0].owner, facts.volumes[0].folderFailure) = (0, "it was found and not configured")
        facts.volumes[0].evidence = EvidenceQuality(.low)
        let findings = Doctor(facts: facts).diagnosis().findings.filter { $0.seen.contains("build") }
        #expect(findings.allSatisfy { $0.state == .ok || $0.state == .unknown })
        #expect(findings.contains { $0.check == "writable" && $0.seen.contains("only looks at it") })
        #expect(findings.allSatisfy { !$0.cure.contains("run Larder as uid") })
    }

    static let cases: [Case] = [
        ("user", .problem, { $0.process.uid = 0 }),
        ("home", .warning, { $0.process.home = nil }),
        ("present", .problem, { $0.volumes[0].mount = nil }),
        ("read-only", .problem, { $0.volumes[0].mount?.options = ["ro", "relatime"] }),
        ("network", .warning, { $0.volumes[1].mount?.network = "NFS" }),
        ("space", .warning, { $0.volumes[0].mount?.capacity.available = ByteCount(1 << 30) }),
        ("inodes", .warning, { $0.volumes[0].mount?.capacity.freeInodes = 1000 }),
        ("limit", .warning, { $0.volumes[0].volume.limit = ByteCount(200 << 30) }),
        ("lock", .unknown, { $0.volumes[0].isHeld = true }),
        ("writable", .problem, { $0.volumes[0].folderFailure = "Permission denied" }),
        ("owner", .warning, { $0.volumes[0].owner = 0 }),
        (
            "movable", .warning,
            {
                $0.volumes[0].immovable = ScanWarning(
                    code: "not-movable", text: "5 of 6 entries cannot be moved", hint: "run as their owner")
            }
        ),
        ("same-disk", .warning, { $0.volumes[1].mount?.device = 10 }),
        ("atime", .problem, { $0.volumes[0].evidence = EvidenceQuality(.none, reason: "mounted noatime") }),
        ("atime", .warning, { $0.volumes[0].evidence = EvidenceQuality(.medium, reason: "NFS") }),
        ("atime", .unknown, { $0.volumes[0].evidence = nil }),
        ("gradle-journal", .warning, { $0.volumes[0].journals = ["gradle-1": "damaged"] }),
        ("event-logs", .warning, { $0.volumes[1].eventLogs = 0 }),
        ("state-writable", .problem, { $0.state.isWritable = false }),
        ("index", .problem, { $0.state.indexFailure = "it is damaged" }),
        ("state-disk", .warning, { $0.state.network = "NFS" }),
        ("state-apart", .warning, { $0.state.device = 10 }),
        ("state-reserve", .warning, { $0.state.hasReserve = false }),
        ("records", .problem, { $0.volumes[1].store?.failure = "layers.json is damaged" }),
        ("driver", .problem, { $0.volumes[1].store?.otherDrivers = ["overlay"] }),
        ("shared-records", .problem, { $0.volumes[1].store?.holdsPodmanRecords = true }),
        ("damage", .warning, { $0.volumes[1].store?.problems = ["image x: its layers are not whole"] }),
        (
            "layer-directory", .warning,
            { $0.volumes[1].store?.layersWithoutDirectory = ["0123456789abcdef", "1123456789abcdef"] }
        ),
        ("socket", .problem, { $0.volumes[1].store?.socket?.mode = nil }),
        ("socket", .problem, { $0.volumes[1].store?.socket?.isSocket = false }),
        ("socket", .problem, { $0.volumes[1].store?.socket?.version = nil }),
        ("socket-mode", .warning, { $0.volumes[1].store?.socket?.mode = 0o666 }),
        ("socket-place", .warning, { $0.volumes[1].store?.socket?.fileSystem = "ext4" }),
        ("version", .warning, { $0.volumes[1].store?.socket?.version = "4.3.1" }),
        ("version", .problem, { $0.volumes[1].store?.socket?.version = "3.4.4" }),
        ("setup", .unknown, { $0.volumes[1].store?.socket?.info = nil }),
        ("driver", .problem, { $0.volumes[1].store?.socket?.info?.driver = "overlay" }),
        ("root", .problem, { $0.volumes[1].store?.socket?.info?.root = "/elsewhere" }),
        (
            "private-records", .problem,
            { $0.volumes[1].store?.socket?.info?.volumePath = "/podman-data/storage/volumes" }
        ),
        ("transient", .warning, { $0.volumes[1].store?.socket?.info?.isTransient = true }),
        ("event-logger", .warning, { $0.volumes[1].store?.socket?.info?.eventLogger = "journald" }),
        ("user-ids", .warning, { $0.volumes[1].store?.socket?.info?.userIDs = 1 }),
        ("clock", .problem, { $0.volumes[0].lastScan = $0.now + .hours(1) }),
        ("clock", .problem, { $0.now = Timestamp(seconds: 1000) }),
        (
            "orphans", .warning,
            {
                $0.volumes[1].store?.orphans = [
                    Orphan(
                        kind: .unreferencedLayer, name: "a", bytes: ByteCount(1), created: $0.now - .days(2))
                ]
            }
        ),
    ]

    @Test(arguments: cases.indices)
    func oneFaultGivesItsFindingWithReasonAndCure(index: Int) {
        let (check, state, change) = Self.cases[index]
        var facts = Self.sound
        change(&facts)
        let found = Doctor(facts: facts).diagnosis().findings
        let bad = found.filter { $0.check == check && $0.state != .ok }
        #expect(bad.map(\.state) == [state], "\(check): \(bad)")
        #expect(bad.allSatisfy { !$0.seen.isEmpty && !$0.why.isEmpty && !$0.cure.isEmpty })
    }

    @Test(arguments: [
        ("conf-private", "[engine]\nstatic_dir = \"/tmp/s\"\ntmp_dir='/tmp/t' # own\n"),
        (
            "conf-private",
            "[engine]\nstatic_dir=\"/store/s\"\ntmp_dir=\"/tmp/t\"\nvolume_path=\"/tmp/v\"\n"
        ),
        ("conf-driver", "driver = \"btrfs\"\n"), ("conf-transient", "transient_store = true\n"),
        ("conf-path", "graphroot = \"/store\"\n"),
        ("", "# driver = \"btrfs\"\n"),
    ])
    func podmansFilesAreReadAsPodmanReadsThem(check: String, text: String) throws {
        let folder = try TemporaryDirectory()
        let store = check == "conf-path" ? "" : "rootless_storage_path = \"/store\" # the claim\n"
        let engine = "[engine]\nstatic_dir = \"/tmp/s\"\ntmp_dir = \"/tmp/t\"\nvolume_path = \"/tmp/v\"\n"
        let isEngine = text.hasPrefix("[engine]")
        try folder.write("storage.conf", "[storage]\n" + store + (isEngine ? "" : text))
        try folder.write("containers.conf", isEngine ? text : engine)
        var facts = Self.sound
        facts.volumes[1].volume.path = "/store"
        facts.volumes[1].store?.socket = nil
        facts.files = PodmanFiles.read(environment: [
            "CONTAINERS_STORAGE_CONF": folder.path + "/storage.conf",
            "CONTAINERS_CONF": folder.path + "/containers.conf",
        ])
        let bad = Doctor(facts: facts).diagnosis().findings.filter { $0.area == .podman && $0.state != .ok }
        #expect(bad.map(\.check) == (check.isEmpty ? [] : [check]))
    }

    @Test func oneUserIDNeedsTheOptionThatIgnoresOwners() {
        var facts = Self.sound
        facts.volumes[1].store?.socket?.info?.userIDs = 1
        facts.files.storageFile = "/etc/containers/storage.conf"
        #expect(Doctor(facts: facts).diagnosis().findings.contains { $0.check == "conf-chown" })
        facts.files.storage["ignore_chown_errors"] = "true"
        #expect(!Doctor(facts: facts).diagnosis().findings.contains { $0.check == "conf-chown" })
    }

    @Test func anOrphanOfTodayIsNoWarning() {
        var facts = Self.sound
        facts.volumes[1].store?.orphans = [
            Orphan(kind: .incompleteLayer, name: "a", bytes: ByteCount(1), created: facts.now - .hours(1))
        ]
        #expect(Doctor(facts: facts).diagnosis().findings.allSatisfy { $0.state == .ok })
    }
}
