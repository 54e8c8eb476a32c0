import CacheModel
import Caches
import PodmanClient

/// Brings images into a store before a job needs them, through podman.sock.
///
/// Podman's word is not taken for it: an image is ready when the store's own records name it, with all its
/// layers. Extraction happens under the store's layer lock, one layer of one image at a time, so parallel pulls
/// gain what they fetch at the same time, and no more. The volume's lock is held all the while.
package struct ImageWarmer: Sendable {
    /// An image that shall be ready.
    package struct Request: Sendable, Hashable {
        /// Which.
        package var reference: ImageReference
        /// When the registry is asked.
        package var policy: PullPolicy
        /// For which platform; nil for that of Podman's machine.
        package var platform: ImagePlatform?
        /// Why it is on the list.
        package var why: String
        /// What it is expected to take; nil where nobody knows.
        package var expected: ByteCount?
        /// How many layers it has; nil where nobody knows.
        package var layers: Int?
        /// Why its registry gives no more for now; nil where it does.
        package var refusal: String?

        /// Makes a request from all it consists of.
        package init(
            reference: ImageReference, policy: PullPolicy, platform: ImagePlatform? = nil, why: String,
            expected: ByteCount? = nil, layers: Int? = nil
        ) {
            self.reference = reference
            self.policy = policy
            self.platform = platform
            self.why = why
            self.expected = expected
            self.layers = layers
        }
    }

    /// How much at once, how often and for how long.
    package struct Limits: Sendable, Hashable {
        /// Pulls at once.
        package var parallel = 2
        /// Pulls from one registry at once.
        package var perRegistry = 2
        /// How often one image is tried.
        package var attempts = 4
        /// How long one image may take, all attempts and pauses included.
        package var image: Span = .minutes(15)
        /// How long all of them may take.
        package var run: Span = .hours(1)
        /// The pause after the first attempt; each is twice as long as the one before.
        package var firstPause: Span = .seconds(2)
        /// The longest pause.
        package var longestPause: Span = .minutes(1)

        /// Makes the limits of the deployment.
        package init() {}
    }

    /// What happens while it happens.
    package enum Progress: Sendable, Hashable {
        /// Podman is asked to pull the image.
        case began(String)
        /// A layer of it, by its digest, is being fetched or was found to be there.
        case layer(String, digest: String)
        /// An attempt failed, and there will be another one after the pause.
        case retrying(String, after: Span, reason: String)
        /// The image's end.
        case ended(WarmedImage)
    }

    let locked: LockedVolume
    let podman: PodmanClient
    let limits: Limits
    let quota: Quota
    let auth: AuthFile?
    let progress: @Sendable (Progress) -> Void
    let store: CurrentStore
    /// Asks an image's registry why Podman gets no answer; nil where it gives one.
    package var whyNoAnswer: @Sendable (ImageReference) async -> String? = { _ in nil }

    /// Makes a warmer of the locked store.
    ///
    /// - Parameters:
    ///   - quota: The volume's: new images come up to its low watermark.
    ///   - auth: The registries' credentials.
    ///   - progress: Is called from any thread.
    package init(
        _ locked: LockedVolume, podman: PodmanClient, limits: Limits, quota: Quota, auth: AuthFile? = nil,
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.locked = locked
        self.podman = podman
        self.limits = limits
        self.quota = quota
        self.auth = auth
        self.progress = progress
        store = CurrentStore(of: locked.volume)
    }

    /// What is to be done for an image, by the store's records: nothing, or a pull.
    package struct State: Sendable, Hashable {
        /// The image of that name; nil where it is not there, or damaged.
        package var image: String?
        /// What it occupies.
        package var bytes: ByteCount
        /// What its own layers occupy: what an update is expected to take.
        package var exclusiveBytes: ByteCount

        /// Whether Podman must be asked: it alone knows what platform the image is for.
        package func needsPull(_ request: Request) -> Bool {
            image == nil || request.policy != .missing || request.platform != nil
        }
    }

    /// Reads what the store has of an image.
    ///
    /// - Parameter anew: reads it even where its files look as they did.
    /// - Throws: `ImageStoreError`.
    package func state(of reference: ImageReference, anew: Bool = false) throws -> State {
        let look = try store.look(anew: anew)
        let ids = Set(look.store.images.filter { $0.answers(to: reference) }.map(\.id))
        let entry = look.entries.first { $0.image.map { ids.contains($0.id) } == true }
        guard let entry, !entry.protections.contains(Protections(.damaged)) else {
            return State(image: nil, bytes: .zero, exclusiveBytes: .zero)
        }
        return State(
            image: entry.image?.id, bytes: entry.bytes, exclusiveBytes: entry.image?.exclusiveBytes ?? .zero)
    }

    /// Makes the images ready, in this order as far as the limits allow.
    ///
    /// - Returns: What became of each, in the order of the requests.
    /// - Throws: `ImageStoreError` where the store's records cannot be read, `CancellationError` where the task was
    ///   cancelled; pulls under way are given up then.
    package func warm(_ requests: [Request]) async throws -> [WarmedImage] {
        let deadline = ContinuousClock.now + .nanoseconds(limits.run.nanoseconds)
        var waiting = Array(requests.indices)
        var results = [WarmedImage?](repeating: nil, count: requests.count)
        var underWay: [String: Int] = [:]
        var room = WarmRoom(quota: quota)
        try await withThrowingTaskGroup(of: (Int, ByteCount?, WarmedImage).self) { group in
            var running = 0
            while true {
                try Task.checkCancellation()
                var place = 0
                while place < waiting.count, running < limits.parallel {
                    let number = waiting[place]
                    let request = requests[number]
                    let state = try state(of: request.reference)
                    var result: WarmedImage?
                    let expected = state.image == nil ? request.expected : state.exclusiveBytes
                    if !state.needsPull(request) {
                        result = request.ended(.present, state.bytes, image: state.image)
                    } else if state.image == nil, let refusal = request.refusal {
                        // Podman would ask again and again, which makes it only worse.
                        result = request.ended(.failed, expected ?? .zero, refusal)
                    } else if ContinuousClock.now >= deadline {
                        result = request.ended(
                            .skipped, expected ?? .zero, "the run's time of \(limits.run) was over")
                    } else if underWay[request.registry, default: 0] < limits.perRegistry {
                        let used = try OwnFileSystem(locked).map(\.used) ?? store.look().store.bytes
                        switch room.judge(
                            used: used, expected: expected, renews: state.image != nil, underWay: running)
                        {
                        case .begin:
                            room.begin(expected)
                            running += 1
                            underWay[request.registry, default: 0] += 1
                            group.addTask {
                                (number, expected, try await pull(request, before: state, until: deadline))
                            }
                            waiting.remove(at: place)
                            continue
                        case .wait: break
                        case .refuse(let reason): result = request.ended(.skipped, expected ?? .zero, reason)
                        }
                    }
                    if let result {
                        results[number] = result
                        progress(.ended(result))
                        waiting.remove(at: place)
                    } else {
                        place += 1
                    }
                }
                guard let (number, expected, image) = try await group.next() else { break }
                room.end(expected)
                running -= 1
                underWay[requests[number].registry, default: 1] -= 1
                results[number] = image
                progress(.ended(image))
            }
        }
        return results.compactMap { $0 }
    }
}

extension ImageWarmer.Request {
    var registry: String { reference.registry ?? "" }

    func ended(
        _ result: WarmedImage.Result, _ bytes: ByteCount, _ reason: String? = nil, attempts: Int = 0,
        duration: Span = .zero, image: String? = nil
    ) -> WarmedImage {
        WarmedImage(
            reference: reference.name, result: result, attempts: attempts, duration: duration, bytes: bytes,
            reason: reason, why: why, image: image)
    }
}
