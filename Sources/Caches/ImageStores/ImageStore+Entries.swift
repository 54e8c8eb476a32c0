import CacheModel

extension ImageStore {
    /// One entry for each image, in the order of their IDs, which are their paths.
    ///
    /// Both sizes are what the image's layers occupy, parents' copies included; files are not counted.
    /// `accessed` is when the newest container that uses the image was made, or when it was last pulled, even
    /// if nothing had to be downloaded then; instant 0 where neither is known.
    /// `fetched` is when the top layer was extracted: the record's own time is the build date (Podman v4.3.1,
    /// image/v5/storage/storage_dest.go, Commit). An image without layers, such as a manifest list, has
    /// nothing but that date.
    package func entries() -> [ScannedEntry] {
        var users: [String: (count: Int, newest: Timestamp)] = [:]
        for container in containers {
            let known = users[container.imageID, default: (0, Timestamp(nanoseconds: 0))]
            users[container.imageID] = (known.count + 1, max(known.newest, container.created))
        }
        let lists = listNames
        return images.indices.compactMap { place in
            let image = images[place]
            guard let path = VolumePath(image.id) else { return nil }
            let used = users[image.id]
            let names = lists[image.id] ?? []
            let bytes = imageLayers[place].reduce(ByteCount.zero) { $0 + graph.stored[$1] }
            var protections: Protections = []
            if used != nil || mounted.contains(image.topLayer) { protections.insert(Protections(.inUse)) }
            if isDamaged(image) { protections.insert(Protections(.damaged)) }
            return ScannedEntry(
                pool: .images, key: key(of: image, lists: names), path: path, bytes: bytes,
                apparentBytes: bytes,
                files: 0,
                accessed: max(
                    used?.newest ?? .never, pulled[image.id] ?? .never, layerReads[image.topLayer] ?? .never),
                fetched: fetched(image),
                protections: protections,
                image: ScannedImage(
                    id: image.id, names: image.names,
                    layers: imageLayers[place].map { graph.records[$0].id },
                    exclusiveBytes: exclusiveBytes(ofImageAt: place), containers: used?.count ?? 0,
                    role: role(of: image), origin: origin(of: image, lists: names), listNames: names))
        }.sorted { $0.path < $1.path }
    }

    /// What removing the image would free: the layers that no other image and no container needs, and that no
    /// left-over layer stands on, for Podman removes layers from the top and stops at the first one that has
    /// another child (containers/storage v1.43.0, store.go, DeleteImage).
    private func exclusiveBytes(ofImageAt place: Int) -> ByteCount {
        imageLayers[place].reduce(.zero) { sum, layer in
            let free = layers[layer].images == 1 && layers[layer].containers == 0 && !pinned[layer]
            return free ? sum + graph.stored[layer] : sum
        }
    }

    private func isDamaged(_ image: Image) -> Bool {
        !Self.tops(of: image).allSatisfy { top in
            graph.places[top].map { graph.whole[$0] } ?? (shared.layers[top] != nil)
        }
    }

    private func fetched(_ image: Image) -> Timestamp {
        if image.topLayer.isEmpty { return image.created }
        guard let place = graph.places[image.topLayer] else { return Timestamp(nanoseconds: 0) }
        // A record may have no time; then the image's own is the latest that is known.
        let made = graph.records[place].created
        return made.nanoseconds > 0 ? made : image.created
    }

    /// The layers an image names; a manifest list names none.
    static func tops(of image: Image) -> [String] {
        (image.topLayer.isEmpty ? [] : [image.topLayer]) + image.mappedLayers
    }
}

extension ImageStore.Image {
    /// The image's name in the tool's notation, safe to print: the first reference with a tag; else the first
    /// one by digest; else the repository it last belonged to, or `<none>`, with its digest (an image whose
    /// tag moved on to a newer one); else `sha256:` and its ID, where the store knows no digest.
    package var key: String {
        let chosen =
            names.first { Self.repository(of: $0) != nil && !$0.contains("@") }
            ?? names.first { Self.repository(of: $0) != nil }
            ?? unnamedKey
        return escaped(chosen.utf8)
    }

    private var unnamedKey: String {
        guard !digest.isEmpty else { return "sha256:\(id)" }
        let repository = lastRepository
        return "\(repository ?? "<none>")@\(digest)"
    }

    /// The repository it last belonged to; nil where it never had a name but Buildah's.
    var lastRepository: String? {
        (names + nameHistory).lazy.filter { !Self.isTemporary($0) }.compactMap(Self.repository).first
    }

    /// Whether a name is the one under which Buildah writes a step of a build: 64 digits and `-tmp` (buildah v1.28.0,
    /// image.go and imagebuildah/stage_executor.go).
    static func isTemporary(_ name: String) -> Bool {
        guard let slash = name.lastIndex(of: "/") else { return false }
        let last = name[name.index(after: slash)...].prefix { $0 != ":" && $0 != "@" }
        return last.hasSuffix("-tmp") && last.utf8.count == 68
            && last.utf8.dropLast(4).allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// `registry/repo` of a full reference `registry/repo:tag` or `registry/repo@sha256:…`; nil for any other
    /// text.
    static func repository(of name: String) -> String? {
        let named = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let slash = named.first?.lastIndex(of: "/"), slash != name.startIndex else { return nil }
        let last = named[0][named[0].index(after: slash)...]
        let tag = last.lastIndex(of: ":")
        let hasReference = named.count == 2 ? named[1].contains(":") : tag != nil && !name.hasSuffix(":")
        guard hasReference, !last.isEmpty, tag != last.startIndex else { return nil }
        return String(named[0][..<(tag ?? named[0].endIndex)])
    }
}

extension Timestamp {
    fileprivate static let never = Timestamp(nanoseconds: 0)
}
