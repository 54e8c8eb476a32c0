import CacheModel
import Caches
import PodmanClient

/// Tells what images that were never there will take, from their registries.
///
/// It costs a request for a manifest, which registries that count pulls count, so it is for images only of which
/// nothing is known.
package struct ImageForecast: Sendable {
    /// What is known of an image before it is pulled.
    package struct Size: Sendable, Hashable {
        /// What it will take, parents' copies included and shared layers left out: an estimate.
        package var bytes: ByteCount
        /// How many layers it has.
        package var layers: Int
    }

    private let store: CurrentStore
    private let registry: RegistryClient

    /// How many questions one registry gets at once.
    private static let atOnce = 4

    /// Makes a forecast for the store in that directory.
    package init(root: String, registry: RegistryClient) {
        store = CurrentStore(root: root)
        self.registry = registry
    }

    /// Makes a forecast for a volume's store.
    package init(of volume: Volume, registry: RegistryClient) {
        store = CurrentStore(of: volume)
        self.registry = registry
    }

    /// What images will take, as far as their registries tell.
    ///
    /// - Throws: `ImageStoreError`, `CancellationError`.
    package func sizes(of requests: [ImageWarmer.Request]) async throws -> [ImageWarmer.Request: Size] {
        try await answers(for: requests).sizes
    }

    /// What images will take, as far as their registries tell, and which registries give no more for now.
    ///
    /// A registry that does not answer, or gives no more, is not asked again; it gets one question first, and then
    /// several at once.
    ///
    /// - Throws: `ImageStoreError`, `CancellationError`.
    package func answers(for requests: [ImageWarmer.Request]) async throws -> Answers {
        try await withThrowingTaskGroup(of: Answers.self) { group in
            for (_, some) in Dictionary(grouping: requests, by: \.registry) {
                group.addTask { try await sizes(atOneRegistry: some) }
            }
            return try await group.reduce(into: Answers()) { all, some in
                all.sizes.merge(some.sizes) { first, _ in first }
                all.limits.merge(some.limits) { first, _ in first }
            }
        }
    }

    /// What registries said.
    package struct Answers: Sendable {
        /// The sizes of the images of which they told.
        package var sizes: [ImageWarmer.Request: Size] = [:]
        /// The registries that give no more for now, as requests name them, and their words.
        package var limits: [String: RegistryFailure] = [:]
    }

    private enum Answer {
        case size(ImageWarmer.Request, Size)
        case nothing
        case unreachable
        case limited(RegistryFailure)
    }

    private func sizes(
        atOneRegistry requests: [ImageWarmer.Request]
    ) async throws -> Answers {
        var waiting = requests[...]
        var answers = Answers()
        try await withThrowingTaskGroup(of: Answer.self) { group in
            var running = 0
            var limit = 1
            while true {
                while running < limit, let request = waiting.popFirst() {
                    running += 1
                    group.addTask { try await answer(to: request) }
                }
                guard let answer = try await group.next() else { break }
                running -= 1
                limit = Self.atOnce
                switch answer {
                case .size(let request, let size): answers.sizes[request] = size
                case .nothing: break
                case .unreachable: waiting = []
                case .limited(let failure):
                    for request in requests { answers.limits[request.registry] = failure }
                    waiting = []
                }
            }
        }
        return answers
    }

    private func answer(to request: ImageWarmer.Request) async throws -> Answer {
        do {
            return .size(request, try await size(of: request.reference, platform: request.platform))
        } catch let failure as RegistryFailure {
            return switch failure.cause {
            case .unreachable: .unreachable
            case .rateLimited: .limited(failure)
            default: .nothing
            }
        }
    }

    /// What an image will take.
    ///
    /// - Throws: `RegistryFailure` where the registry does not tell, `ImageStoreError`, `CancellationError`.
    package func size(of reference: ImageReference, platform: ImagePlatform? = nil) async throws -> Size {
        let manifest = try await registry.image(of: reference, platform: platform)
        return Size(
            bytes: try store.look().store.forecast(manifest.layers), layers: manifest.layers.count)
    }
}
