import CLinux
import CacheModel
import Foundation

/// Looks at this process and at what the kernel lets it do.
enum ProcessExamination {
    static func process() -> DoctorFacts.Process {
        var found = DoctorFacts.Process(uid: geteuid(), user: nil)
        let users = lines("/etc/passwd").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
        found.user = users.first { $0.count > 2 && UInt32($0[2]) == found.uid }.map { String($0[0]) }
        let status = Dictionary(
            lines("/proc/self/status").compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return parts.count == 2
                    ? (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces)) : nil
            }, uniquingKeysWith: { $1 })
        found.hasNoNewPrivileges = status["NoNewPrivs"] == "1"
        found.seccomp = status["Seccomp"].flatMap { Int($0) }
        found.boundingSet = status["CapBnd"].flatMap { UInt64($0, radix: 16) } ?? 0
        found.effective = status["CapEff"].flatMap { UInt64($0, radix: 16) } ?? 0
        let environment = ProcessInfo.processInfo.environment
        var isDirectory: ObjCBool = false
        found.home = environment["HOME"].flatMap { home in
            FileManager.default.fileExists(atPath: home, isDirectory: &isDirectory) && isDirectory.boolValue
                ? home : nil
        }
        found.isInCluster = environment["KUBERNETES_SERVICE_HOST"] != nil
        return found
    }

    static func kernel(of process: DoctorFacts.Process) -> DoctorFacts.Kernel {
        var found = DoctorFacts.Kernel()
        found.release = lines("/proc/sys/kernel/osrelease").first.map(String.init) ?? "unknown"
        found.maxUserNamespaces = number("/proc/sys/user/max_user_namespaces")
        found.unprivilegedClone = number("/proc/sys/kernel/unprivileged_userns_clone")
        found.apparmorRestrict = number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
        var probe = larder_userns()
        if larder_probe_userns(&probe) == 0 {
            found.userNamespace = probe.userns
            found.mount = probe.mount >= 0 ? probe.mount : nil
            found.proc = probe.proc >= 0 ? probe.proc : nil
        } else {
            (found.userNamespace, found.mount, found.proc) = (nil, nil, nil)
        }
        found.cgroups = cgroups()
        found.hasTun = access("/dev/net/tun", R_OK | W_OK) == 0
        found.hasFuse = access("/dev/fuse", R_OK | W_OK) == 0
        found.subuids = subordinates("/etc/subuid", of: process)
        found.subgids = subordinates("/etc/subgid", of: process)
        for (file, map) in [("/etc/subuid", "/proc/self/uid_map"), ("/etc/subgid", "/proc/self/gid_map")] {
            found.absentSubordinates =
                found.absentSubordinates ?? absentSubordinates(file, of: process, under: map)
        }
        found.newuidmap = idMapTool()
        return found
    }

    /// How many IDs the lines of a user add up to (subuid(5)); 0 without the file.
    private static func subordinates(_ file: String, of process: DoctorFacts.Process) -> Int64? {
        guard access(file, F_OK) == 0 else { return 0 }
        guard access(file, R_OK) == 0 else { return nil }
        return ranges(lines(file), of: process).reduce(0) {
            $0.addingReportingOverflow($1.count).partialValue
        }
    }

    /// A line of a user whose last ID no line of a map holds (user_namespaces(7)); nil where there is none.
    private static func absentSubordinates(_ file: String, of process: DoctorFacts.Process, under map: String)
        -> String?
    {
        let held = lines(map).compactMap { line -> ClosedRange<Int64>? in
            let fields = line.split(separator: " ").compactMap { Int64($0) }
            guard fields.count == 3, fields[0] >= 0, fields[2] > 0 else { return nil }
            return fields[0]...fields[0].addingReportingOverflow(fields[2] - 1).partialValue
        }
        guard !held.isEmpty else { return nil }
        return ranges(lines(file), of: process).first { range in
            let last = range.first.addingReportingOverflow(range.count - 1).partialValue
            return !held.contains { $0.contains(last) }
        }?.line
    }

    private static func ranges(_ lines: [Substring], of process: DoctorFacts.Process)
        -> [(line: String, first: Int64, count: Int64)]
    {
        lines.compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, let first = Int64(fields[1]), let count = Int64(fields[2]), count > 0,
                String(fields[0]) == process.user || UInt32(fields[0]) == process.uid
            else { return nil }
            return (String(line), first, count)
        }
    }

    private static func idMapTool() -> DoctorFacts.IDMapTool {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        for folder in folders {
            let path = "\(folder)/newuidmap"
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            if larder_has_file_capabilities(path) != 0 { return .capabilities }
            return status.st_mode & S_ISUID != 0 && status.st_uid == 0 ? .setuid : .plain
        }
        return .absent
    }

    /// 2 where the whole hierarchy is that of version 2; nil where none is mounted.
    private static func cgroups() -> Int? {
        // Type, by proc_pid_mountinfo(5), of what is mounted at /sys/fs/cgroup.
        for line in lines("/proc/self/mountinfo").reversed() {
            let fields = line.split(separator: " ")
            guard fields.count > 6, fields[4] == "/sys/fs/cgroup", let dash = fields.firstIndex(of: "-"),
                dash + 1 < fields.count
            else { continue }
            return fields[dash + 1] == "cgroup2" ? 2 : 1
        }
        return nil
    }

    private static func number(_ file: String) -> Int64? { lines(file).first.flatMap { Int64($0) } }

    private static func lines(_ file: String) -> [Substring] {
        (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n") ?? []
    }
}
