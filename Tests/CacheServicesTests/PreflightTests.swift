import CacheModel
import PodmanClient
import Testing

@testable import CacheServices

/// A node that runs job pods, and one thing at a time that keeps it from that.
@Suite struct PreflightTests {
    private static func good() -> PreflightFacts {
        var socket = DoctorFacts.Socket(path: "/sockets/podman.sock", mode: 0o600)
        socket.version = "5.8.2"
        socket.info = PodmanInfo(
            version: "5.8.2", driver: "vfs", root: "/podman-data/storage", volumePath: "/tmp/volumes",
            userIDs: 65535)
        var facts = PreflightFacts(socket: socket)
        facts.process.seccomp = 2
        facts.kernel.release = "6.8.0-45-generic"
        facts.userMap = [[0, 1_966_080, 65536]]
        var mount = DoctorFacts.Mount()
        mount.options.insert("idmapped")
        facts.volumes = [.init(path: "/podman-data", mount: mount)]
        return facts
    }

    @Test func aGoodNodeHasNoFinding() {
        let diagnosis = Preflight(facts: Self.good()).diagnosis()
        #expect(diagnosis.findings.allSatisfy { $0.state == .ok })
        #expect(diagnosis.tier == .full)
        #expect(diagnosis.obstacle == nil)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var check: String
        var state: Diagnosis.State = .problem
        var change: @Sendable (inout PreflightFacts) -> Void

        var testDescription: String { "\(check) \(state)" }
    }

    @Test(arguments: [
        Fault(check: "pod-users") { $0.userMap = [[0, 0, 4_294_967_295]] },
        Fault(check: "pod-users") { $0.userMap = [[0, 100_000, 1000]] },
        Fault(check: "pod-users", state: .unknown) { $0.userMap = [] },
        Fault(check: "kernel") { $0.kernel.release = "6.1.0-18-amd64" },
        Fault(check: "kernel") { $0.kernel.release = "5.15.0" },
        Fault(check: "kernel", state: .unknown) { $0.kernel.release = "unknown" },
        Fault(check: "kernel") { $0.kernel.maxUserNamespaces = 0 },
        Fault(check: "seccomp") { $0.process.seccomp = 0 },
        Fault(check: "tun") { $0.kernel.hasTun = false },
        Fault(check: "network-policy") { $0.network = .open("10.96.0.1:443") },
        Fault(check: "network-policy", state: .unknown) { $0.network = .noCluster },
        Fault(check: "podman") { $0.socket.version = nil },
        Fault(check: "podman") { $0.socket.info?.userIDs = 1 },
        Fault(check: "volume") { $0.volumes[0].mount?.network = "NFS" },
        Fault(check: "volume") { $0.volumes[0].mount?.options.remove("idmapped") },
        Fault(check: "volume") { $0.volumes[0].isWritable = false },
        Fault(check: "volume", state: .unknown) { $0.volumes[0].mount = nil },
        Fault(check: "selinux", state: .warning) {
            ($0.hasSELinux, $0.label) = (true, "system_u:system_r:container_t:s0")
        },
    ]) func aFaultIsNamed(_ fault: Fault) {
        var facts = Self.good()
        fault.change(&facts)
        let diagnosis = Preflight(facts: facts).diagnosis()
        let found = diagnosis.findings.filter { $0.state != .ok }
        #expect(found.map(\.check) == [fault.check])
        #expect(found.map(\.state) == [fault.state])
        #expect(found.allSatisfy { !$0.why.isEmpty && !$0.cure.isEmpty })
        #expect((diagnosis.obstacle == nil) == (fault.state != .problem))
    }

    /// Where the pod has the node's users, nothing needs to be mapped: that it has them is the one fault.
    @Test func mappedIDsAreAskedForInAUserNamespaceOnly() {
        var facts = Self.good()
        facts.userMap = [[0, 0, 4_294_967_295]]
        facts.volumes[0].mount?.options.remove("idmapped")
        #expect(
            Preflight(facts: facts).diagnosis().findings.filter { $0.state != .ok }.map(\.check) == [
                "pod-users"
            ])
    }

    @Test func theUsersOfUbuntuNeedTheProfile() {
        var facts = Self.good()
        facts.kernel.apparmorRestrict = 1
        #expect(Preflight(facts: facts).diagnosis().findings.allSatisfy { $0.state == .ok })
        facts.socket.version = nil
        let found = Preflight(facts: facts).diagnosis().findings.filter { $0.state == .problem }
        #expect(Set(found.map(\.check)) == ["apparmor", "podman"])
    }
}
