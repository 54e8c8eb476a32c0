import CacheModel
import Caches
import FileAccess
import PodmanClient

/// Gives back what killed pulls and dead pods left in an image store: through Podman, never by unlinking.
///
/// - Layers that no image needs are adopted by an image made for it, which is then removed with them.
/// - Layers that were not completely written go when Podman next writes.
/// - Containers of dead pods and of killed builds are removed one by one, without force.
/// - Directories without a record stay: Podman 4.3 has no way to remove them.
///
/// Nothing is done on a store in use, or to what is younger than a day, and both are looked at again before each
/// step: Podman on a shared store protects neither other pods' running containers nor their pulls. What the
/// records say afterwards counts, not Podman's answers.
package struct OrphanReclaim: Sendable {
    private let locked: LockedVolume
    private let podman: PodmanClient
    private let clock: @Sendable () -> Timestamp
    private let reader: ImageStoreReader
    private var activity: StoreActivity {
        // Where the driver cannot be told, the records cannot be read either, and nothing is done.
        StoreActivity(root: locked.root, driver: (try? reader.drivers().used) ?? VfsDriver())
    }

    /// Makes one for the locked store.
    package init(
        _ locked: LockedVolume, podman: PodmanClient, clock: @escaping @Sendable () -> Timestamp
    ) {
        self.locked = locked
        self.podman = podman
        self.clock = clock
        reader = ImageStoreReader(of: locked.volume)
    }

    /// What became of it.
    package struct Result: Sendable {
        /// Every orphan, with the reason where it stays.
        package var lines: [OrphanLine]
        /// What the file system got back, by statfs before and after.
        package var freedBytes: ByteCount = .zero
        /// Why the socket could not be used; nil where it could.
        package var failure: String?

        /// What went.
        package var reclaimed: [OrphanLine] { lines.filter(\.refusal.isEmpty) }
        /// What stays.
        package var refused: [OrphanLine] { lines.filter { !$0.refusal.isEmpty } }
    }

    /// What would go, and why the rest stays; nothing is touched, and Podman is not asked.
    ///
    /// - Throws: `ImageStoreError` where the store's records cannot be read.
    package func plan(_ orphans: [Orphan]) throws -> Result {
        let store = try reader.read()
        let now = clock()
        let use = activity.use(of: store, now: now).map { "the store is in use: \($0)" }
        return Result(
            lines: orphans.map { OrphanLine($0, refusal: refusal(of: $0, store, now: now) ?? use ?? "") })
    }

    /// Reclaims the orphans that a plan lets go; what is gone by another hand meanwhile counts as reached.
    ///
    /// - Throws: `ImageStoreError` where the store's records cannot be read.
    package func reclaim(_ planned: Result) async throws -> Result {
        var result = planned
        let gain = FreeSpaceGain(on: locked.root)
        result.failure = try await finishEarlier()
        for kind in [Orphan.Kind.deadContainer, .workingContainer, .unreferencedLayer, .incompleteLayer] {
            var failed: [String: String] = [:]
            let names = result.reclaimed.map(\.orphan).filter { $0.kind == kind }.map(\.name)
            for name in try order(names, of: kind) {
                if let failure = result.failure {
                    failed[name] = failure
                    continue
                }
                do {
                    failed[name] = try await step(kind, name)
                } catch let error as PodmanError {
                    failed[name] = "\(error)"
                    // An answer, even a 500 for this one, is no reason to give up on the others.
                    if case .status = error {} else { result.failure = "\(error)" }
                }
            }
            try settle(kind, failed, &result)
        }
        result.freedBytes = gain.bytes
        return result
    }

    /// Whether Podman would be asked for anything: to reclaim what is planned, or to remove what a killed run left.
    package func asksPodman(for planned: Result) throws -> Bool {
        try !planned.reclaimed.isEmpty || !leftImages().isEmpty
    }

    /// The images that a killed run left; none while the store is in use.
    private func leftImages() throws -> [ImageStore.Image] {
        let store = try reader.read()
        let left = store.images.filter(StoreActivity.isAdoption)
        return left.isEmpty || activity.use(of: store, now: clock()) != nil ? [] : left
    }

    /// Removes the images that a killed run left, with the orphans they adopted; the socket's failure, if any.
    private func finishEarlier() async throws -> String? {
        for name in try leftImages().flatMap(\.names) {
            do { _ = try await podman.removeImage(name) } catch let error as PodmanError {
                if case .status = error { continue }
                return "\(error)"
            }
        }
        return nil
    }

    /// One request or two to Podman; the reason where nothing was done.
    private func step(_ kind: Orphan.Kind, _ name: String) async throws -> String? {
        let store = try reader.read()
        if let use = activity.use(of: store, now: clock()) { return "the store is in use: \(use)" }
        switch kind {
        case .deadContainer, .workingContainer:
            return try await podman.removeContainer(name)
        case .unreferencedLayer:
            guard let layer = store.layers.first(where: { $0.id == name }) else { return nil }
            guard layer.images + layer.containers == 0 else {
                return "an image or a container needs it by now"
            }
            return try await adopt(layer.id, store)
        case .incompleteLayer:
            return store.layers.contains { $0.id == name } ? try await adopt("", store) : nil
        case .directory:
            return nil
        }
    }

    private func adopt(_ layer: String, _ store: ImageStore) async throws -> String? {
        guard let image = AdoptionImage(on: layer, in: store) else { return Self.built }
        try await podman.loadImages(image.archive)
        if case .refused(let reason) = try await podman.removeImage(image.name) { return reason }
        return nil
    }

    /// Layers from the top: adopting the topmost takes along those below.
    private func order(_ names: [String], of kind: Orphan.Kind) throws -> [String] {
        guard kind == .unreferencedLayer else { return names }
        let layers = try reader.read().layers
        let parents = Set(
            layers.filter { $0.images + $0.containers == 0 && !$0.incomplete }.compactMap(\.parent))
        return names.filter { !parents.contains($0) }
    }

    /// Whether what was to go is gone, by the records.
    private func settle(_ kind: Orphan.Kind, _ failed: [String: String], _ result: inout Result) throws {
        let store = try reader.read()
        let left = Set(
            kind == .deadContainer || kind == .workingContainer
                ? store.containers.map(\.id) : store.layers.map(\.id))
        for place in result.lines.indices where result.lines[place].orphan.kind == kind {
            let name = result.lines[place].orphan.name
            guard result.lines[place].refusal.isEmpty, left.contains(name) else { continue }
            result.lines[place].refusal =
                failed[name] ?? failed.values.sorted().first ?? "it is still in the store's records"
        }
    }

    /// Why one orphan stays whatever the store is doing; nil where it may go.
    private func refusal(of orphan: Orphan, _ store: ImageStore, now: Timestamp) -> String? {
        guard orphan.isOld(at: now) else {
            return "younger than \(Orphan.minimumAge): it may be a pull under way"
        }
        switch orphan.kind {
        case .directory: return Self.unrecorded
        case .incompleteLayer: return store.layers.contains { $0.id == orphan.name } ? nil : Self.gone
        case .deadContainer, .workingContainer:
            guard let container = store.containers.first(where: { $0.id == orphan.name }) else {
                return Self.gone
            }
            return activity.life(of: container) == .ended ? nil : "its process may be running"
        case .unreferencedLayer:
            guard store.layers.contains(where: { $0.id == orphan.name }) else { return Self.gone }
            // What stands on it must go with it.
            let young = store.layers.first {
                $0.parent == orphan.name && $0.images + $0.containers == 0
                    && $0.created >= now - Orphan.minimumAge
            }
            if young != nil { return "a layer on it is younger than \(Orphan.minimumAge)" }
            return AdoptionImage(on: orphan.name, in: store) == nil ? Self.built : nil
        }
    }

    private static let gone = "it has no such record any more"
    private static let built =
        "no image can adopt it: its ID does not follow from its contents, as of layers that a build made"
    private static let unrecorded =
        "Podman 4.3 cannot remove a directory without a record; `podman system prune --external` of "
        + "Podman 4.4 and later can, while no job runs"
}
