import CacheModel
import Testing

@testable import CacheServices
@testable import PodmanClient

/// The measured matrix of rootless Podman in pods, row by row.
@Suite struct DoctorTierTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var change: @Sendable (inout DoctorFacts) -> Void
        var tier: Diagnosis.Tier
        var obstacle: String?

        var testDescription: String { name }

        init(
            _ name: String, _ tier: Diagnosis.Tier, _ obstacle: String?,
            _ change: @escaping @Sendable (inout DoctorFacts) -> Void
        ) {
            (self.name, self.tier, self.obstacle, self.change) = (name, tier, obstacle, change)
        }
    }

    /// A pod of tier B: SETUID and SETGID, file capabilities, subordinate IDs, everything unmasked.
    static var full: DoctorFacts {
        var facts = DoctorFacts(
            now: Timestamp(seconds: 1_800_000_000), state: DoctorFacts.State(path: "/var/lib/larder"))
        facts.process.boundingSet = 1 << 6 | 1 << 7
        return facts
    }

    static let rows: [Row] = [
        Row("SETUID and SETGID, newuidmap with file capabilities", .full, nil) { _ in },
        Row("no_new_privs and no capabilities, without a subuid line", .single, "no subordinate IDs") {
            $0.process.hasNoNewPrivileges = true
            $0.process.boundingSet = 0
            $0.kernel.subuids = 0
        },
        Row("subordinate IDs that the pod has not", .observe, "ci:100000:65536 do not exist") {
            $0.kernel.absentSubordinates = "ci:100000:65536"
        },
        Row("no_new_privs with a subuid line", .observe, "no_new_privs") {
            $0.process.hasNoNewPrivileges = true
            $0.process.boundingSet = 0
        },
        Row("file capabilities and no_new_privs", .observe, "no_new_privs") {
            $0.process.hasNoNewPrivileges = true
        },
        Row("setuid-root newuidmap with two capabilities", .observe, "setuid root") {
            $0.kernel.newuidmap = .setuid
        },
        Row("setuid-root newuidmap with all capabilities", .full, nil) {
            $0.kernel.newuidmap = .setuid
            $0.process.boundingSet = .max
        },
        Row("newuidmap without capabilities", .observe, "no capability of its own") {
            $0.kernel.newuidmap = .plain
        },
        Row("no newuidmap", .observe, "newuidmap is missing") { $0.kernel.newuidmap = .absent },
        Row("SETGID alone", .observe, "SETUID is not") { $0.process.boundingSet = 1 << 6 },
        Row("SETUID alone", .observe, "SETGID is not") { $0.process.boundingSet = 1 << 7 },
        Row("no /dev/net/tun", .single, "/dev/net/tun") { $0.kernel.hasTun = false },
        Row("masked /proc", .sharedProc, "masked") { $0.kernel.proc = 1 },
        Row("RuntimeDefault's seccomp", .observe, "seccomp refuses") {
            $0.kernel.userNamespace = 1
            $0.process.seccomp = 2
        },
        Row("no user namespaces on the node", .observe, "allows no user namespace") {
            $0.kernel.userNamespace = 28
            $0.kernel.maxUserNamespaces = 0
        },
        Row("Debian's switch", .observe, "forbids user namespaces") {
            $0.kernel.userNamespace = 1
            $0.kernel.unprivilegedClone = 0
        },
        Row("Ubuntu's AppArmor switch", .observe, "restricts user namespaces") {
            $0.kernel.userNamespace = 13
            $0.kernel.apparmorRestrict = 1
        },
        Row("AppArmor denies mounts", .observe, "mounts in an own namespace") { $0.kernel.mount = 13 },
    ]

    @Test(arguments: rows)
    func theMatrixOfPods(row: Row) {
        var facts = Self.full
        row.change(&facts)
        let diagnosis = Doctor(facts: facts).diagnosis()
        #expect(diagnosis.tier == row.tier)
        #expect((diagnosis.obstacle == nil) == (row.obstacle == nil))
        if let obstacle = row.obstacle {
            #expect(diagnosis.obstacle?.seen.contains(obstacle) == true, "\(diagnosis.obstacle?.seen ?? "")")
            #expect(diagnosis.obstacle?.cure.isEmpty == false)
            #expect(diagnosis.findings.contains { $0.area == .kernel && $0.state == .warning })
        }
    }

    @Test func aPodmanThatAnswersHasShownWhatItsPodAllows() {
        var facts = Self.full
        facts.kernel.userNamespace = 1
        facts.process.seccomp = 2
        func answers(userIDs: Int64) -> Diagnosis {
            var volume = DoctorFacts.VolumeFacts(
                volume: Volume(name: "images", kind: .imageStore, path: "/store"))
            volume.mount = DoctorFacts.Mount()
            var socket = DoctorFacts.Socket(path: "/s", mode: 0o600, version: "4.9.0")
            socket.info = PodmanInfo(
                version: "4.9.0", driver: "vfs", root: "/store", volumePath: "/tmp/v", userIDs: userIDs)
            volume.store = DoctorFacts.Store(socket: socket)
            facts.volumes = [volume]
            return Doctor(facts: facts).diagnosis()
        }
        let many = answers(userIDs: 65537)
        #expect(many.tier == .full && many.obstacle == nil)
        #expect(!many.findings.contains { $0.area == .kernel && $0.state != .ok && $0.state != .unknown })
        let one = answers(userIDs: 1)
        #expect(one.tier == .single && one.obstacle?.seen == "Podman has 1 user ID")
    }
}
