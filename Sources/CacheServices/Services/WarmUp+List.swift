import CacheIndex
import CacheModel
import PodmanClient
import Reporting

extension WarmUp {
    /// What is named, then what the configuration lists, then what jobs used most; each once.
    package func list(_ index: CacheIndex?) throws -> [ImageWarmer.Request] {
        var requests = named.map { reference in
            let known = services.configuration.warm.images.first { $0.reference == reference }
            return ImageWarmer.Request(
                reference: reference, policy: known?.policy ?? .missing, platform: known?.platform,
                why: "named")
        }
        requests += services.configuration.warm.images.map { image in
            ImageWarmer.Request(
                reference: image.reference, policy: image.policy, platform: image.platform, why: "configured")
        }
        if let top, let index {
            let now = services.clock()
            let used = try index.topImages(
                of: volume.name, since: now - Configuration.reportWindow, until: now, limit: Self.candidates)
            if used.isEmpty {
                services.warn([
                    "no use of an image was recorded yet, so --top \(top) finds none: scan while jobs run"
                ])
            }
            requests += Self.chosen(top, of: used)
        }
        var seen: Set<String> = []
        return requests.filter { seen.insert($0.reference.name).inserted }
    }

    /// More than any store holds.
    private static let candidates = 10_000

    /// The images that are used most and that a registry may have, and Testcontainers' Ryuk beside them.
    ///
    /// Every job that uses Testcontainers starts Ryuk first, so it counts no place. Where Ryuk is disabled no job
    /// starts it: one that was not used in the day before the last use of any image is left out.
    package static func chosen(_ top: Int, of used: [UsedImage]) -> [ImageWarmer.Request] {
        let lastUse = used.map(\.lastUsed).max() ?? Timestamp(seconds: 0)
        var places = top
        return used.compactMap { image in
            // What a job built itself is in no registry.
            guard let reference = try? ImageReference(image.key), let registry = reference.registry,
                registry != "localhost"
            else { return nil }
            let isRyuk = "/\(reference.repository)".hasSuffix("/testcontainers/ryuk")
            var why = image.reason
            if isRyuk {
                guard lastUse - image.lastUsed < .hours(24) else { return nil }
                why = "Testcontainers starts it, \(why)"
            } else {
                guard places > 0 else { return nil }
                places -= 1
            }
            return ImageWarmer.Request(reference: reference, policy: .missing, why: why)
        }
    }

    /// What would happen to each image.
    func preview(_ requests: [ImageWarmer.Request], _ warmer: ImageWarmer) throws -> [WarmedImage] {
        try requests.map { request in
            let state = try warmer.state(of: request.reference)
            if !state.needsPull(request) {
                return WarmedImage(
                    reference: request.reference.name, result: .present, bytes: state.bytes, why: request.why,
                    image: state.image)
            }
            let source = request.layers == nil ? "" : " (estimated)"
            let need = request.expected.map { "up to \($0)\(source)" } ?? "an unknown size"
            let reason =
                state.image == nil ? "would be pulled, \(need)" : "there; Podman would be asked"
            return WarmedImage(
                reference: request.reference.name, result: .skipped,
                bytes: state.image == nil ? request.expected ?? .zero : state.bytes, reason: reason,
                why: request.why, image: state.image)
        }
    }

    /// What has to go so that the images fit under the low watermark: none of them, of course.
    func roomPlan(
        _ requests: [ImageWarmer.Request], _ warmer: ImageWarmer, _ usage: VolumeUsage, _ quota: Quota
    ) throws -> EvictionPlan {
        let needed = try requests.reduce(ByteCount.zero) { sum, request in
            let isThere = try warmer.state(of: request.reference).image != nil
            return sum + (isThere ? .zero : request.expected ?? .zero)
        }
        let ids = Set(try requests.compactMap { try warmer.state(of: $0.reference).image })
        let warm = usage.entries.compactMap(\.found.image).filter { ids.contains($0.id) }.flatMap(\.names)
        var policy = services.policy(for: volume, target: max(.zero, quota.low - needed))
        policy.poolQuotas = [:]
        policy.maxIdle = [:]
        policy.keep += warm
        return policy.plan(usage, under: quota, now: services.clock())
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
