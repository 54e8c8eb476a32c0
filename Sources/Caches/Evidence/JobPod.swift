/// What the name of a job's pod tells.
///
/// GitLab Runner calls it `runner-TOKEN-project-NUMBER-concurrent-NUMBER-` and eight random characters, in lower case
/// and 63 bytes at most (v18.3 `common/build.go` `ProjectUniqueName`, `executors/kubernetes/kubernetes.go`
/// `generateNameForK8sResources`); older runners put the random end there without a dash.
/// The number is GitLab's own of the project (`CI_PROJECT_ID`).
enum JobPod {
    private static let before = Array("-project-".utf8)
    private static let behind = Array("-concurrent-".utf8)

    /// The number of the project in a pod's name, or in a file's that is called after it; nil where it has none.
    ///
    /// Whoever writes a log chooses its name: what comes out is a plain number of 19 digits at most.
    static func project(in name: some Sequence<UInt8>) -> String? {
        let name = Array(name)
        for start in name.indices where name[start...].starts(with: before) {
            let digits = name[(start + before.count)...].prefix { isDigit($0) }
            let rest = name[digits.endIndex...]
            guard (1...19).contains(digits.count), digits.first != UInt8(ascii: "0"),
                rest.starts(with: behind), let next = rest.dropFirst(behind.count).first, isDigit(next)
            else { continue }
            return String(decoding: digits, as: UTF8.self)
        }
        return nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
