import CacheModel

extension ImageStore {
    /// What is wrong with the records or wastes space, at most a hundred lines.
    static func problems(
        images: [Image], layers: [ScannedLayer], containers: [StoreContainer], graph: LayerGraph,
        shared: Shared = Shared()
    ) -> [String] {
        var lines: [String] = []
        for image in images {
            for top in tops(of: image)
            where !(graph.places[top].map { graph.whole[$0] } ?? (shared.layers[top] != nil)) {
                let isGone = graph.places[top] == nil
                let fault = isGone ? "its layer \(short(top)) is gone" : "its layers are not whole"
                lines.append(
                    "image \(image.key) (\(short(image.id))): \(fault), which can make Podman's list of images "
                        + "fail; remove it with `podman rmi` and pull it again")
            }
        }
        for place in graph.faults.keys.sorted() {
            let layer = short(graph.records[place].id)
            switch graph.faults[place] {
            case .parentGone(let parent):
                lines.append(
                    "layer \(layer): its parent \(short(parent)) is gone, so its size is a lower bound; "
                        + "remove the images that need it and pull them again")
            case .cycle:
                lines.append(
                    "layer \(layer): it is its own ancestor, so its size is a lower bound; empty the store "
                        + "with `podman system reset` and pull again")
            case nil: break
            }
        }
        let imageIDs = Set(images.lazy.map(\.id))
        for container in containers {
            if !container.imageID.isEmpty, !imageIDs.contains(container.imageID),
                !shared.images.contains(container.imageID)
            {
                lines.append(
                    "container \(short(container.id)): its image \(short(container.imageID)) is gone; "
                        + "remove the container with `podman rm` once its job has ended")
            }
            if graph.places[container.layerID] == nil {
                lines.append(
                    "container \(short(container.id)): its layer \(short(container.layerID)) is gone; "
                        + "remove the container with `podman rm --force` once its job has ended")
            }
        }
        lines += leftOver(layers)
        guard lines.count > 100 else { return lines }
        return lines.prefix(99) + ["and \(lines.count - 99) more"]
    }

    private static func leftOver(_ layers: [ScannedLayer]) -> [String] {
        var lines: [String] = []
        let incomplete = layers.filter(\.incomplete)
        if !incomplete.isEmpty {
            lines.append(
                "\(count(incomplete)) not completely written: a pull is under way, or one was killed and "
                    + "Podman removes the remains at its next write")
        }
        let unreferenced = layers.filter { $0.images == 0 && $0.containers == 0 && !$0.incomplete }
        if !unreferenced.isEmpty {
            lines.append(
                "\(count(unreferenced)) needed by no image and no container: a pull is under way, or one was "
                    + "killed; `larder prune --orphans` reclaims them when they are a day old")
        }
        return lines
    }

    private static func count(_ layers: [ScannedLayer]) -> String {
        let bytes = layers.reduce(ByteCount.zero) { $0 + $1.storedBytes }
        let some = layers.prefix(3).map { short($0.id) }.joined(separator: ", ")
        let ids = layers.count > 3 ? "\(some), …" : some
        return "\(layers.count) \(layers.count == 1 ? "layer is" : "layers are") (\(bytes): \(ids))"
    }

    private static func short(_ id: String) -> String { escaped(id.utf8.prefix(12)) }
}
