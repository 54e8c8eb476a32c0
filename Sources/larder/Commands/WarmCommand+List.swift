import CacheIndex
import CacheModel
import Eviction
import Foundation
import Glibc
import Maintenance
import PodmanClient
import Reporting

extension WarmCommand {
    /// The image store to warm.
    func store(_ application: Application) throws -> Volume {
        let stores = try application.presentVolumes(named: volume).present.filter { $0.kind == .imageStore }
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

    /// What is named, then what the configuration lists, then what jobs used most; each once.
    func list(
        _ named: [ImageReference], _ volume: Volume, _ index: CacheIndex, _ application: Application
    ) throws -> [ImageWarmer.Request] {
        var requests = named.map { reference in
            let known = application.configuration.warm.images.first { $0.reference == reference }
            return ImageWarmer.Request(
                reference: reference, policy: known?.policy ?? .missing, platform: known?.platform,
                why: "named")
        }
        requests += application.configuration.warm.images.map { image in
            ImageWarmer.Request(
                reference: image.reference, policy: image.policy, platform: image.platform, why: "configured")
        }
        if let top {
            let now = application.clock()
            let used = try index.topImages(
                of: volume.name, since: now - Configuration.reportWindow, until: now, limit: top)
            if used.isEmpty {
                application.warn([
                    "no use of an image was recorded yet, so --top \(top) finds none: scan while jobs run"
                ])
            }
            for image in used {
                // What a job built itself is in no registry.
                guard let reference = try? ImageReference(image.key), let registry = reference.registry,
                    registry != "localhost"
                else { continue }
                requests.append(
                    ImageWarmer.Request(reference: reference, policy: .missing, why: image.reason))
            }
        }
        var seen: Set<String> = []
        return requests.filter { seen.insert($0.reference.name).inserted }
    }

    /// What would happen to each image.
    func preview(_ requests: [ImageWarmer.Request], _ warmer: ImageWarmer) throws -> [WarmedImage] {
        try requests.map { request in
            let state = try warmer.state(of: request.reference)
            if !state.needsPull(request.policy) {
                return WarmedImage(
                    reference: request.reference.name, result: .present, bytes: state.bytes, why: request.why,
                    image: state.image)
            }
            let need = request.expected.map { "up to \($0)" } ?? "an unknown size"
            let reason =
                state.image == nil ? "would be pulled, \(need)" : "there; the registry would be asked"
            return WarmedImage(
                reference: request.reference.name, result: .skipped,
                bytes: state.image == nil ? request.expected ?? .zero : state.bytes, reason: reason,
                why: request.why, image: state.image)
        }
    }

    /// What has to go so that the images fit under the low watermark: none of them, of course.
    func roomPlan(
        _ requests: [ImageWarmer.Request], _ warmer: ImageWarmer, _ usage: VolumeUsage, _ quota: Quota,
        _ volume: Volume, _ application: Application
    ) throws -> EvictionPlan {
        let needed = try requests.reduce(ByteCount.zero) { sum, request in
            let isThere = try warmer.state(of: request.reference).image != nil
            return sum + (isThere ? .zero : request.expected ?? .zero)
        }
        let names = usage.entries.compactMap(\.found.image).flatMap(\.names)
        let warm = names.filter { name in requests.contains { $0.reference.means(name) } }
        let policy = EvictionPolicy(
            idleFloor: application.configuration.idleFloor, keep: volume.keep + warm,
            target: max(.zero, quota.low - needed))
        return policy.plan(usage, under: quota, now: application.clock())
    }
}

extension WarmConfiguration {
    /// The limits as the warmer takes them.
    var limits: ImageWarmer.Limits {
        var limits = ImageWarmer.Limits()
        limits.parallel = parallel
        limits.perRegistry = perRegistry
        limits.image = imageDeadline
        limits.run = runDeadline
        return limits
    }
}

/// Shows a run as it goes, on standard error: a line for each image that begins, waits or ends, and on a terminal
/// one that is written over, with the layers.
final class WarmLog: Sendable {
    private let line = ProgressLine("pulling")

    func show(_ progress: ImageWarmer.Progress) {
        switch progress {
        case .began(let name): say("pulling \(name)")
        case .layer(let name, let count): line.update("\(name): layer \(count)")
        case .retrying(let name, let pause, let reason): say("\(name): again in \(pause): \(reason)")
        case .ended(let image):
            let reason = image.reason.map { ": \($0)" } ?? ""
            say("\(image.reference): \(image.result.rawValue)\(reason)")
        }
    }

    private func say(_ text: String) {
        line.end()
        Terminal.complain("larder: \(text)")
    }
}
