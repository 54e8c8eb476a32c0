import CacheModel
import Caches
import PodmanClient

extension ImageWarmer {
    /// Pulls one image, again where that may help, and looks whether it is there.
    func pull(
        _ request: Request, before: State, until runEnd: ContinuousClock.Instant
    ) async throws -> WarmedImage {
        let name = request.reference.name
        let begin = ContinuousClock.now
        let end = min(runEnd, begin + .nanoseconds(limits.image.nanoseconds))
        var attempts = 0
        func ended(_ result: WarmedImage.Result, _ state: State, _ reason: String? = nil) -> WarmedImage {
            request.ended(
                result, result == .failed ? request.expected ?? .zero : state.bytes, reason,
                attempts: attempts,
                duration: (ContinuousClock.now - begin).span, image: state.image)
        }
        while true {
            attempts += 1
            progress(.began(name))
            let reason: String
            let pause: Span?
            switch try await attempt(request, until: end) {
            case .success(let image):
                let after = try state(of: request.reference, anew: true)
                if after.image != nil {
                    let result: WarmedImage.Result =
                        before.image == nil ? .pulled : before.image == after.image ? .present : .updated
                    return ended(result, after)
                }
                // Another Podman on the store may remove what this one pulled.
                reason = "Podman pulled it as \(image.prefix(12)), and it is not in the store"
                pause = .zero
            case .failure(let failure):
                reason = failure.reason
                pause = failure.pause
            }
            let left = (end - ContinuousClock.now).span
            guard let pause, attempts < limits.attempts else { return ended(.failed, before, reason) }
            let wait = max(pause, Self.backoff(attempts, limits, jitter: .random(in: 0.5...1)))
            guard wait < left else {
                return ended(.failed, before, "\(reason); no time is left for another attempt")
            }
            progress(.retrying(name, after: wait, reason: reason))
            try await Task.sleep(for: .nanoseconds(wait.nanoseconds))
        }
    }

    /// The pause after that many attempts: doubled each time, up to the longest, and scattered, so that several
    /// that failed together do not come back together.
    static func backoff(_ attempts: Int, _ limits: Limits, jitter: Double) -> Span {
        let doubled = Double(limits.firstPause.nanoseconds) * Double(1 << min(max(0, attempts - 1), 20))
        let pause = min(doubled, Double(limits.longestPause.nanoseconds))
        return Span(nanoseconds: Int64(pause * jitter))
    }

    /// Why an attempt failed, and how long to wait at least before the next; nil where none would help.
    struct Failure: Error {
        var reason: String
        var pause: Span?
    }

    private func attempt(
        _ request: Request, until end: ContinuousClock.Instant
    ) async throws -> Result<String, Failure> {
        let left = (end - ContinuousClock.now).span
        do {
            let image = try await podman.pull(
                request.reference, policy: request.policy, platform: request.platform,
                credentials: auth?.credentials(for: request.reference), deadline: left
            ) { step in
                if case .layer(let digest) = step {
                    progress(.layer(request.reference.name, digest: digest))
                }
            }
            return .success(image)
        } catch let failure as PullFailure {
            var pause: Span? = failure.cause.mayPass ? .zero : nil
            if case .rateLimited(let after?) = failure.cause { pause = after }
            return .failure(Failure(reason: "\(failure)", pause: pause))
        } catch let error as PodmanError {
            // Podman goes on asking a registry that gives no more, and says nothing until the time is over.
            if case .deadlinePassed = error, let why = await whyNoAnswer(request.reference) {
                return .failure(Failure(reason: why, pause: nil))
            }
            return .failure(Failure(reason: "\(error)", pause: Self.mayPass(error) ? .zero : nil))
        }
    }

    /// Whether the socket may serve again: a sidecar that ended is started anew.
    private static func mayPass(_ error: PodmanError) -> Bool {
        switch error {
        case .socketAbsent, .connectionRefused, .connectionFailed: true
        case .status(_, _, let code, _): code >= 500
        case .invalidSocket, .permissionDenied, .deadlinePassed, .unreadableAnswer, .answerTooLarge: false
        }
    }
}

extension Duration {
    /// The duration, pinned at the longest span.
    fileprivate var span: Span {
        let (seconds, attoseconds) = components
        guard seconds < 9_000_000_000 else { return Span(nanoseconds: .max) }
        return Span(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
