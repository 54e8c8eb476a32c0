import CacheModel
import CacheServices
import PodmanClient
import Yams

extension MappingReader {
    /// The images of `warm.images`.
    func warmImages() -> [WarmConfiguration.Image] {
        let accepted = "a list of images, each with reference, pull_policy and platform"
        var images: [WarmConfiguration.Image] = []
        for (index, node) in (list("images", accepted: accepted) ?? []).enumerated() {
            guard
                let reader = MappingReader(
                    node, path: keyPath("images[\(index)]"), known: ConfigurationKeys.warmImage, of: document,
                    problems)
            else { continue }
            let policy = reader.value("pull_policy", .pullPolicy) ?? .missing
            let platform = reader.value("platform", .platform)
            guard let reference = reader.required("reference", .imageReference) else { continue }
            if images.contains(where: { $0.reference == reference && $0.platform == platform }) {
                problems.add(
                    reader.place(of: "reference"), reader.keyPath("reference"),
                    "\(reference.name) is on the list already; accepted: once")
            }
            images.append(WarmConfiguration.Image(reference: reference, policy: policy, platform: platform))
        }
        return images
    }
}

extension ValueFormat<Int> {
    /// A number of pulls at once.
    static var pulls: Self {
        Self(
            accepted: "a whole number from 1 to 32",
            read: { text in ValueFormat<Int>.count.read(text).flatMap { $0 <= 32 ? $0 : nil } })
    }
}

extension ValueFormat<String?> {
    /// The path of a file, or `none`.
    static var fileOrNone: Self {
        Self(
            accepted: "an absolute path without `..`, or none",
            read: { text in
                if text == "none" { return .some(nil) }
                return ValueFormat<String>.path.read(text).map { .some($0) }
            })
    }
}

extension ValueFormat<PullPolicy> {
    /// When the registry is asked.
    static var pullPolicy: Self {
        let known = PullPolicy.allCases.map(\.rawValue)
        return Self(
            accepted: known.joined(separator: ", "), read: { PullPolicy(rawValue: $0) },
            guess: { nearest($0, among: known).map { "`\($0)`" } })
    }
}

extension ValueFormat<ImagePlatform> {
    /// A platform.
    static var platform: Self {
        Self(
            accepted: "a system and an architecture, such as linux/amd64 or linux/arm64/v8",
            read: { ImagePlatform($0) })
    }
}

extension ValueFormat<ImageReference> {
    /// An image's name.
    static var imageReference: Self {
        Self(
            accepted: "an image reference, such as docker.io/library/postgres:16",
            read: { try? ImageReference($0) })
    }
}
