import CacheModel
import FileAccess
import Foundation
import Glibc

/// Looks at a node from within a pod, and has `Preflight` judge it.
///
/// It writes nothing. It tries one connection, to the Kubernetes API, which a policy should refuse.
struct PreflightExamination {
    let volumes: [String]
    let examination: DoctorExamination
    let socket: String

    /// How long a connection is waited for: a policy drops packets without an answer.
    private static let patience: Int32 = 3000

    /// Looks, and judges.
    func diagnosis() async -> Diagnosis {
        var facts = PreflightFacts(socket: await examination.socket(socket))
        facts.process = ProcessExamination.process()
        facts.kernel = ProcessExamination.kernel(of: facts.process)
        facts.userMap = Self.lines("/proc/self/uid_map").map { line in
            line.split(separator: " ").compactMap { Int64($0) }
        }.filter { $0.count == 3 }
        facts.hasAppArmor = Self.lines("/sys/module/apparmor/parameters/enabled").first == "Y"
        facts.hasSELinux = access("/sys/fs/selinux/enforce", F_OK) == 0
        facts.label =
            ["/proc/self/attr/apparmor/current", "/proc/self/attr/current"].lazy.compactMap {
                Self.lines($0).first.map { String($0.filter { $0 != "\0" }) }
            }.first
        facts.volumes = volumes.map(Self.volume)
        facts.network = Self.network(ProcessInfo.processInfo.environment)
        return Preflight(facts: facts).diagnosis()
    }

    private static func volume(_ path: String) -> PreflightFacts.MountedVolume {
        var found = PreflightFacts.MountedVolume(path: path)
        found.isWritable = access(path, W_OK | X_OK) == 0
        if isMountPoint(path), let root = try? OpenDirectory.open(root: path) {
            found.mount = DoctorExamination.mount(root)
        }
        return found
    }

    /// By proc_pid_mountinfo(5), whose fifth field is the place.
    private static func isMountPoint(_ path: String) -> Bool {
        lines("/proc/self/mountinfo").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 4 && fields[4] == path
        }
    }

    private static func network(_ environment: [String: String]) -> PreflightFacts.Network {
        guard let host = environment["KUBERNETES_SERVICE_HOST"],
            let port = environment["KUBERNETES_SERVICE_PORT"]
        else { return .noCluster }
        let server = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        return connects(host, port) ? .open(server) : .closed(server)
    }

    /// Whether somebody answers at a numeric address; a refusal by the server is an answer too.
    private static func connects(_ host: String, _ port: String) -> Bool {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        // No name server is asked: the kubelet gives an address.
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &list) == 0, let address = list?.pointee else { return false }
        defer { freeaddrinfo(list) }
        let descriptor = Glibc.socket(
            address.ai_family, address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue), address.ai_protocol)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return true }
        guard errno == EINPROGRESS else { return errno == ECONNREFUSED }
        var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&wait, 1, patience) == 1 else { return false }
        var failure: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) == 0 else { return false }
        return failure == 0 || failure == ECONNREFUSED
    }

    private static func lines(_ file: String) -> [Substring] {
        (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n") ?? []
    }
}
