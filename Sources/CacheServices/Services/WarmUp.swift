import CacheIndex
import CacheModel
import PodmanClient
import Reporting
import Synchronization

/// One warm-up of an image store, as the command and the daemon's schedule do it.
///
/// It can be cancelled at any time: pulls under way are given up, what they left is Podman's to remove at its next
/// write, and nothing is recorded.
package struct WarmUp: Sendable {
    /// What it works with.
    let services: Services
    /// The store.
    package let volume: Volume
    /// What was named, beside what is configured.
    var named: [ImageReference]
    /// How many of the images that jobs used most are wanted too; nil for none.
    var top: Int?
    /// Whether what was not used for longest may be evicted.
    var makesRoom: Bool

    /// Makes a warm-up of a store.
    package init(
        _ services: Services, of volume: Volume, named: [ImageReference] = [], top: Int? = nil,
        makesRoom: Bool = false
    ) {
        self.services = services
        self.volume = volume
        self.named = named
        self.top = top
        self.makesRoom = makesRoom
    }

    /// How long a warmed image is protected, unless it is used before.
    static let protection: Span = .hours(24)

    private struct Prepared {
        var index: CacheIndex
        var usage: VolumeUsage
        var quota: Quota
        var locked: LockedVolume
        var podman: PodmanClient
        var requests: [ImageWarmer.Request]
        var registry: RegistryClient

        func warmer(
            _ services: Services, _ auth: AuthFile?,
            _ progress: @escaping @Sendable (ImageWarmer.Progress) -> Void = { _ in }
        ) -> ImageWarmer {
            var warmer = ImageWarmer(
                locked, podman: podman, limits: services.configuration.warm.limits, quota: quota,
                auth: auth, progress: progress)
            warmer.whyNoAnswer = { [registry] reference in
                do {
                    _ = try await registry.digest(of: reference)
                    return nil
                } catch let failure as RegistryFailure {
                    return failure.cause == .rateLimited ? WarmUp.limitReached(failure) : nil
                } catch { return nil }
            }
            return warmer
        }
    }

    /// What would be done.
    package func preview() async throws -> WarmReport {
        let auth = try services.authFile()
        let prepared = try await prepare(auth)
        let warmer = prepared.warmer(services, auth)
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
    /// - Parameter display: makes what shows the pulls as they go.
    /// - Throws: `Failure` and the errors of the parts below; what one image lacks is in the report.
    package func run(
        display: ((Services, Volume, [ImageWarmer.Request]) -> any WarmDisplay)? = nil
    ) async throws -> ServiceResult<WarmReport> {
        try services.checkWritable(volume)
        let startedAt = services.clock()
        let auth = try services.authFile()
        let prepared = try await prepare(auth)
        let (index, requests) = (prepared.index, prepared.requests)
        let log = display?(services, volume, requests) ?? WarmLines(services, volume, of: requests.count)
        let warmer = prepared.warmer(services, auth, log.show)
        var report = WarmReport(run: newRun(), volume: volume.name, dryRun: false, images: [])
        // A socket that nobody serves is one failure, not one for each image.
        if !requests.isEmpty {
            _ = try await prepared.podman.ping()
            try await services.checkStore(of: volume, prepared.podman)
        }
        if makesRoom {
            var usage = prepared.usage
            if !(try roomPlan(requests, warmer, usage, prepared.quota).evict.isEmpty) {
                try await services.protectMountedImages(in: &usage, of: prepared.podman)
            }
            let plan = try roomPlan(requests, warmer, usage, prepared.quota)
            if !plan.evict.isEmpty {
                let result = try await services.pruner(index).prune(
                    prepared.locked, plan, refused: [], scan: prepared.usage.scan, run: newRun(),
                    podman: prepared.podman, purge: false)
                report.evicted = result.outcome.evicted
                services.warn(result.failures)
            }
        }
        report.images = try await log.following { try await warmer.warm(requests) }
        let code = Self.code(report.images)
        let finishedAt = services.clock()
        let warm = WarmRun(
            images: report.images,
            run: RunRecord(
                id: report.run, kind: "warm", startedAt: startedAt, finishedAt: finishedAt,
                exitCode: code?.rawValue ?? 0),
            protectedUntil: finishedAt + Self.protection, usedBefore: prepared.usage.usedBytes,
            high: prepared.quota.high)
        try services.survey(prepared.locked, index, warm: warm)
        report.history = try index.warmHistory(of: volume.name)
        return ServiceResult(report, code)
    }

    /// The contract's code for what became of the images.
    static func code(_ images: [WarmedImage]) -> Failure.Code? {
        let ready = images.count(where: \.isReady)
        return ready == images.count ? nil : ready == 0 ? .failed : .inPart
    }

    /// Why a registry that answers 429 gives no image.
    static func limitReached(_ failure: RegistryFailure) -> String {
        "the registry's rate limit is reached (too many requests): \(failure)"
    }

    private func newRun() -> String { Trash.newRunID(now: services.clock()) }

    /// Locks and scans the store, and tells what each image is expected to take.
    private func prepare(_ auth: AuthFile?) async throws -> Prepared {
        guard let podman = try services.podman(for: volume) else {
            throw Failure.usage("volume \(volume.name) is not an image store")
        }
        let registry = try services.registryClient(auth)
        let index = try services.index()
        let locked = try services.lock(volume)
        let usage = try services.surveyed(locked, index)
        var prepared = Prepared(
            index: index, usage: usage, quota: volume.quota(capacity: usage.capacity), locked: locked,
            podman: podman, requests: try list(index), registry: registry)
        let warmer = prepared.warmer(services, auth)
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
        let forecast = ImageForecast(of: volume, registry: registry)
        let answers = try await forecast.answers(for: unknown)
        let sizes = answers.sizes
        for place in prepared.requests.indices {
            if let limit = answers.limits[prepared.requests[place].registry] {
                prepared.requests[place].refusal = Self.limitReached(limit)
            }
            guard let size = sizes[prepared.requests[place]] else { continue }
            prepared.requests[place].expected = size.bytes
            prepared.requests[place].layers = size.layers
        }
        return prepared
    }
}

/// Shows pulls as they go.
package protocol WarmDisplay: Sendable {
    /// Takes what happens.
    func show(_ progress: ImageWarmer.Progress)
    /// Does the work while showing it.
    func following<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result
}

/// A notice for each image that begins, waits or ends.
package final class WarmLines: WarmDisplay {
    private let services: Services
    private let display: any ProgressDisplay
    private let count: Int
    private let ended = Atomic(0)

    /// Tells it by the services' notices and progress; `count` images are wanted.
    package init(_ services: Services, _ volume: Volume, of count: Int) {
        self.services = services
        self.count = count
        display = services.progress("warming", volume.name)
        display.update("0 of \(count) images")
    }

    package func show(_ progress: ImageWarmer.Progress) {
        switch progress {
        case .began(let name): say("pulling \(name)")
        case .layer: break
        case .retrying(let name, let pause, let reason): say("\(name): again in \(pause): \(reason)")
        case .ended(let image):
            display.update("\(ended.add(1, ordering: .relaxed).newValue) of \(count) images")
            say("\(image.reference): \(image.result.rawValue)\(image.reason.map { ": \($0)" } ?? "")")
        }
    }

    package func following<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        defer { display.end() }
        return try await work()
    }

    private func say(_ text: String) { services.notify(text, .information) }
}
