import CacheModel
import Foundation
import Reporting
import RunnerLint

extension Services {
    /// Finds the setting that is wrong, and what puts it right.
    ///
    /// - Parameter runnerFile: a runner's `config.toml` to check too.
    /// - Throws: `Failure` where that file cannot be read.
    package func doctor(runnerFile: String?) async throws -> ServiceResult<DoctorReport> {
        // Nobody waits half a minute for a socket that hangs.
        let deadline = min(configuration.podmanDeadline, .seconds(10))
        var diagnosis = await DoctorExamination(
            volumes: configuration.volumes, sockets: configuration.sockets,
            stateDirectory: configuration.stateDirectory, deadline: deadline, clock: clock
        ).diagnosis()
        if let runnerFile { diagnosis.findings += try Self.lint(runnerFile) }
        return ServiceResult(
            DoctorReport(diagnosis, at: clock()), diagnosis.count(.problem) > 0 ? .inPart : nil)
    }

    /// Whether job pods run on this node, seen from a pod that is what theirs will be.
    ///
    /// Neither an index nor the volumes of the configuration need to be there.
    package func preflight() async -> ServiceResult<DoctorReport> {
        let examination = DoctorExamination(
            volumes: [], sockets: [:], stateDirectory: configuration.stateDirectory, deadline: .seconds(10),
            clock: clock)
        let socket = configuration.sockets.values.sorted().first ?? "unix:///sockets/podman.sock"
        let diagnosis = await PreflightExamination(
            volumes: ["/podman-data", "/cache"].filter { FileManager.default.fileExists(atPath: $0) },
            examination: examination, socket: socket
        ).diagnosis()
        return ServiceResult(
            DoctorReport(diagnosis, at: clock()), diagnosis.count(.problem) > 0 ? .inPart : nil)
    }

    private static func lint(_ file: String) throws -> [Diagnosis.Finding] {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(
                code: .failed, message: "\(file) cannot be read",
                hint: "name the runner's config.toml; in its pod it is /etc/gitlab-runner/config.toml")
        }
        let isYAML = file.hasSuffix(".yaml") || file.hasSuffix(".yml") ? true : nil
        let found = RunnerLint().check(String(decoding: data, as: UTF8.self), isYAML: isYAML)
        guard !found.isEmpty else {
            return [.init(.runner, "runner-config", ok: "no problems found")]
        }
        return found.map { finding in
            Diagnosis.Finding(
                .runner, finding.rule, finding.severity == .error ? .problem : .warning,
                "line \(finding.line): \(finding.problem)", why: finding.reason, cure: finding.cure)
        }
    }
}
