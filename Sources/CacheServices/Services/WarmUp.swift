import CacheIndex
import CacheModel
import CacheServices
import Glibc
import PodmanClient
import Reporting

/// One warm-up of an image store, as the command and the daemon's schedule do it.
///
/// It can be cancelled at any time: pulls under way are given up, what they left is Podman's to remove at its next
/// write, and nothing is recorded.
struct WarmUp: Sendable {
    let application: Application
    /// The store.
    let volume: Volume
    /// What was named, beside what is configured.
    var named: [ImageReference] = []
    /// How many of the images that jobs used most are wanted too; nil for none.
    var top: Int?
    /// Whether what was not used for longest may be evicted.
    var makesRoom = false

    /// How long a warmed image is protected, unless it is used before.
    static let protection: Span = .hours(24)

    private struct Prepared {
        var index: CacheIndex
        var usage: VolumeUsage
        var quota: Quota
        var locked: LockedVolume
        var podman: PodmanClient
        var requests: [ImageWarmer.Request]

        func warmer(
            _ application: Application, _ auth: AuthFile?,
            _ progress: @escaping @Sendable (ImageWarmer.Progress) -> Void = { _ in }
        ) -> ImageWarmer {
            ImageWarmer(
                locked, podman: podman, limits: application.configuration.warm.limits, quota: quota,
                auth: auth, progress: progress)
        }
    }

    /// What would be done.
    func preview() async throws -> WarmReport {
        let auth = try application.authFile()
        let prepared = try await prepare(auth)
        let warmer = prepared.warmer(application, auth)
        var report = WarmReport(run: newRun(), volume: volume.name, dryRun: true, images: [])
        report.images = try preview(prepared.requests, warmer)
        if makesRoom {
            let plan = try roomPlan(prepared.requests, warmer, prepared.usage, prepared.quota)
            report.evicted = PruneReport.Volume(dryRunOf: plan).outcome.evicted
        }
        report.history = try prepared.index.warmHistory(of: volume.name)
        return report
    }

    /// Makes the images ready and records it.
    ///
    /// - Returns: What became of each, and the contract's exit code.
    func run() async throws -> (report: WarmReport, code: Failure.Code?) {
        let startedAt = application.clock()
        let auth = try application.authFile()
        let prepared = try await prepare(auth)
        let (index, requests) = (prepared.index, prepared.requests)
        let log = WarmLog(requests, root: volume.path)
        let warmer = prepared.warmer(application, auth, log.show)
        var report = WarmReport(run: newRun(), volume: volume.name, dryRun: false, images: [])
        // A socket that nobody serves is one failure, not one for each image.
        if !requests.isEmpty { _ = try await prepared.podman.ping() }
        if makesRoom {
            let plan = try roomPlan(requests, warmer, prepared.usage, prepared.quota)
            if !plan.evict.isEmpty {
                let result = try await application.pruner(index).prune(
                    prepared.locked, plan, refused: [], scan: prepared.usage.scan, run: newRun(),
                    podman: prepared.podman, purge: false)
                report.evicted = result.outcome.evicted
                application.warn(result.failures)
            }
        }
        report.images = try await log.following { try await warmer.warm(requests) }
        let code = Self.code(report.images)
        let finishedAt = application.clock()
        let warm = WarmRun(
            images: report.images,
            run: RunRecord(
                id: report.run, kind: "warm", startedAt: startedAt, finishedAt: finishedAt,
                exitCode: code?.rawValue ?? 0),
            protectedUntil: finishedAt + Self.protection, usedBefore: prepared.usage.usedBytes,
            high: prepared.quota.high)
        _ = try application.survey(prepared.locked, index, warm: warm)
        report.history = try index.warmHistory(of: volume.name)
        return (report, code)
    }

    /// The contract's code for what became of the images.
    static func code(_ images: [WarmedImage]) -> Failure.Code? {
        let ready = images.count(where: \.isReady)
        return ready == images.count ? nil : ready == 0 ? .failed : .inPart
    }

    private func newRun() -> String { Trash.newRunID(now: application.clock()) }

    /// Locks and scans the store, and tells what each image is expected to take.
    private func prepare(_ auth: AuthFile?) async throws -> Prepared {
        guard let podman = try application.podman(for: volume) else {
            throw Failure.usage("volume \(volume.name) is no image store")
        }
        let registry = try application.registryClient(auth)
        let index = try application.index()
        let locked = try application.lock(volume)
        _ = try application.survey(locked, index)
        guard let usage = try index.usage(of: volume.name) else {
            throw MaintenanceError.unusablePlan(reason: "volume \(volume.name) was not recorded")
        }
        var prepared = Prepared(
            index: index, usage: usage, quota: volume.quota(capacity: usage.capacity.total), locked: locked,
            podman: podman, requests: try list(index))
        let warmer = prepared.warmer(application, auth)
        var unknown: [ImageWarmer.Request] = []
        for place in prepared.requests.indices {
            let request = prepared.requests[place]
            prepared.requests[place].expected = try index.lastSize(
                of: request.reference.name, on: volume.name)
            if prepared.requests[place].expected == nil, try warmer.state(of: request.reference).image == nil
            {
                unknown.append(request)
            }
        }
        let forecast = ImageForecast(root: volume.path, registry: registry)
        let sizes = try await forecast.sizes(of: unknown)
        for place in prepared.requests.indices {
            guard let size = sizes[prepared.requests[place]] else { continue }
            prepared.requests[place].expected = size.bytes
            prepared.requests[place].layers = size.layers
        }
        return prepared
    }
}

extension Application {
    /// The image store to warm.
    func imageStore(named name: String?) throws -> Volume {
        let stores = try presentVolumes(named: name).present.filter { $0.kind == .imageStore }
        guard let store = stores.first else {
            throw Failure(
                code: .failed, message: "no image store is mounted",
                hint: "mount one, or name its path with --image-root")
        }
        guard stores.count == 1 else {
            throw Failure.usage(
                "several image stores: \(stores.map(\.name).joined(separator: ", ")); choose with --volume")
        }
        return store
    }

    /// The registries' credentials; nil where none are configured.
    func authFile() throws -> AuthFile? {
        guard let path = configuration.warm.authFile else { return nil }
        do {
            let file = try AuthFile(contentsOf: path)
            warn([file.warning].compactMap { $0 })
            return file
        } catch {
            throw Failure(code: .configuration, message: "\(error)", hint: error.hint)
        }
    }

    /// Asks registries as Podman does, with what is configured.
    func registryClient(_ auth: AuthFile?) throws -> RegistryClient {
        let certificates = RegistryCertificates.podmans()
        warn(certificates.warnings)
        return RegistryClient(registries: try registriesFile(), auth: auth, certificates: certificates)
    }

    /// Where Podman finds registries.
    func registriesFile() throws -> RegistriesFile {
        guard let path = configuration.warm.registriesFile else { return RegistriesFile() }
        if path == WarmConfiguration.usualRegistriesFile, access(path, F_OK) != 0 { return RegistriesFile() }
        do {
            return try RegistriesFile(contentsOf: path)
        } catch {
            throw Failure(
                code: .configuration, message: "\(error)",
                hint: "mount the sidecar's registries.conf there, or set warm.registries_file to none")
        }
    }
}
