import CacheModel
import FileAccess
import Foundation
import Glibc

// What an image is to others: part of a manifest list, a step of a build, something that no registry has.

extension ImageStore {
    /// The names of the lists by which each image is run, by its ID.
    var listNames: [String: [String]] {
        var names: [String: [String]] = [:]
        for list in images {
            for instance in instances[list.id] ?? [] { names[instance, default: []] += list.names }
        }
        return names
    }

    /// What part an image plays.
    func role(of image: Image) -> ScannedImage.Role {
        if image.topLayer.isEmpty, image.mappedLayers.isEmpty { return .list }
        if allInstances.contains(image.id) { return .instance }
        let isNameless = image.names.isEmpty && image.lastRepository == nil
        return isNameless && image.nameHistory.contains(where: Image.isTemporary) ? .step : .image
    }

    /// Whether a registry has an image.
    ///
    /// A layer that was pulled has another digest compressed than unpacked (containers/storage v1.43.0, layers.go,
    /// applyDiffWithOptions); one that was built, committed, imported or loaded has the same.
    ///
    /// - Parameter lists: the names of the lists by which it is run.
    func origin(of image: Image, lists: [String] = []) -> ScannedImage.Origin {
        // An image of a list is had by its names.
        let names = image.names.isEmpty ? lists : image.names
        guard !names.isEmpty, role(of: image) != .step else { return .registry }
        if names.allSatisfy({ $0.hasPrefix("localhost/") }) { return .local }
        if loaded.contains(image.id) { return .loaded }
        return isMadeHere(image) ? .made : .registry
    }

    /// Whether the top layer never was compressed: no registry sent it.
    fileprivate func isMadeHere(_ image: Image) -> Bool {
        guard let place = graph.places[image.topLayer] else { return false }
        let record = graph.records[place]
        return !record.diffDigest.isEmpty && record.compressedDigest == record.diffDigest
    }

    /// The key of an image: of one without a name that lists have, the first list's repository and its own digest.
    func key(of image: Image, lists: [String]) -> String {
        guard image.names.isEmpty, !image.digest.isEmpty,
            let list = lists.lazy.compactMap(Image.repository).first
        else { return image.key }
        return escaped("\(list)@\(image.digest)".utf8)
    }

    /// Reads the manifests of lists, and of images that may have come from an archive.
    mutating func readManifests(in folder: ImageStoreFolder) {
        var byDigest: [String: [String]] = [:]
        for image in images {
            for digest in Set(image.manifestDigests + [image.digest]) where !digest.isEmpty {
                byDigest[digest, default: []].append(image.id)
            }
        }
        let plain = Set(graph.records.lazy.filter { $0.diffDigest == $0.compressedDigest }.map(\.diffDigest))
        // Real ones have some kilobytes each; this bounds the time for made-up ones.
        var budget = 64 << 20
        for image in images {
            switch role(of: image) {
            case .list:
                guard let manifest = Self.manifest(of: image, folder, &budget) else { continue }
                let members = (manifest.manifests ?? []).map { member in
                    (
                        ids: (byDigest[member.digest ?? ""] ?? []).filter { $0 != image.id },
                        platform: member.platform
                    )
                }
                let here = members.filter { $0.platform?.architecture == Self.machine }.flatMap(\.ids)
                let all = members.flatMap(\.ids)
                instances[image.id] = here.isEmpty ? all : here
                allInstances.formUnion(all)
            case .image where !image.names.isEmpty && isMadeHere(image):
                // What could not be looked at may be the only copy.
                let manifest = Self.manifest(of: image, folder, &budget)
                if budget <= 0 || manifest.map({ Self.claimsCompression($0, of: plain) }) ?? false {
                    loaded.insert(image.id)
                }
            case .image, .instance, .step: break
            }
        }
    }

    /// An archive's manifest calls its layers compressed, though they are not (containers/image v5.23.1,
    /// docker/internal/tarfile/src.go, prepareLayerData).
    private static func claimsCompression(_ manifest: Manifest, of plain: Set<String>) -> Bool {
        manifest.layers?.contains { layer in
            layer.mediaType?.hasSuffix("gzip") ?? false && plain.contains(layer.digest ?? "")
        } ?? false
    }

    private static func manifest(
        of image: Image, _ folder: ImageStoreFolder, _ budget: inout Int
    ) -> Manifest? {
        guard budget > 0, let data = folder.smallFile("manifest", in: folder.driver.path("images", image.id))
        else {
            return nil
        }
        budget -= data.count
        return try? JSONDecoder().decode(Manifest.self, from: data)
    }

    /// What is asked of a manifest or a list (OCI image-spec v1.0, manifest.md, image-index.md).
    private struct Manifest: Decodable {
        struct Part: Decodable {
            struct Platform: Decodable { var architecture: String? }
            var mediaType: String?
            var digest: String?
            var platform: Platform?
        }
        var manifests: [Part]?
        var layers: [Part]?
    }

    /// This machine's architecture, as Go calls it.
    private static let machine: String = {
        var name = utsname()
        uname(&name)
        let machine = withUnsafeBytes(of: name.machine) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        switch machine {
        case "x86_64": return "amd64"
        case "aarch64": return "arm64"
        case "i386", "i686": return "386"
        case let other: return other
        }
    }()
}

extension ImageStore {
    /// Finds the images that containers mount, by the mounts that their runtime was given (libpod/container_internal_linux.go,
    /// v4.3.1: an image is mounted from its layer's directory).
    mutating func readMounts(in folder: ImageStoreFolder) {
        struct Bundle: Decodable {
            struct Mount: Decodable { var source: String? }
            var mounts: [Mount]?
        }
        for container in containers {
            guard let place = folder.driver.path("containers", container.id),
                let data = folder.smallFile("config.json", in: place.appending("userdata".utf8)),
                let bundle = try? JSONDecoder().decode(Bundle.self, from: data)
            else { continue }
            for source in (bundle.mounts ?? []).compactMap(\.source) {
                for part in source.split(separator: "/") where part.utf8.count == 64 {
                    if graph.places[String(part)] != nil { mounted.insert(String(part)) }
                }
            }
        }
    }

    /// Takes the times at which something was built on images' top layers.
    ///
    /// A build tells of no container (seen with Podman 4.3.1), and a layer that was never sent stands on what it was
    /// built from.
    mutating func readBuilds() {
        let tops = Set(images.map(\.topLayer))
        for record in graph.records
        where !record.diffDigest.isEmpty && record.diffDigest == record.compressedDigest
            && tops.contains(record.parent)
        {
            layerReads[record.parent] = max(layerReads[record.parent] ?? record.created, record.created)
        }
    }

    /// Takes the times at which images' top layers were last read to make a container or to build on them.
    ///
    /// A build or a container reads its image's top layer and no other (seen with Podman 4.3.1 and both drivers). Who
    /// walks the store reads the layers in between as well: what was read within an hour of one of those shows no
    /// use. Where layers are directories that are read themselves, he reads the one that they lie in first, which
    /// Podman does not.
    mutating func readLayerTimes(in folder: ImageStoreFolder) {
        guard let path = folder.driver.layersFolder, let all = try? folder.directory.open(path) else {
            return
        }
        let tops = Set(images.map(\.topLayer))
        var reads: [String: Timestamp] = [:]
        var walks: [Int64] = []
        for layer in layers where layer.images > 0 {
            let trace = folder.driver.useTrace
            let place = trace.isEmpty ? layer.id : "\(layer.id)/\(trace)"
            guard let stat = try? all.stat(place.utf8.cString), stat.atime > stat.mtime else { continue }
            if tops.contains(layer.id) {
                reads[layer.id] = Timestamp(nanoseconds: stat.atime)
            } else {
                walks.append(stat.atime)
            }
        }
        walks.sort()
        let hour = Span.hours(1).nanoseconds
        func isOfAWalk(_ time: Int64) -> Bool {
            let next = walks.partitioningIndex { $0 >= time - hour }
            return next < walks.count && walks[next] <= time + hour
        }
        // Until somebody reads it, it has the time at which it was made, before its first layer.
        if folder.driver.useTrace.isEmpty, let walk = try? all.stat().atime,
            let oldest = graph.records.lazy.map(\.created.nanoseconds).min(), walk > oldest
        {
            for layer in Self.readByWalk(reads, begunAt: walk) { reads[layer] = nil }
        }
        // Without a layer in between, a walk shows by having read all of several.
        let times = reads.values.map(\.nanoseconds)
        if walks.isEmpty, tops.count > 3, reads.count == tops.count, let first = times.min(),
            let last = times.max(),
            last - first < hour
        {
            return
        }
        for (layer, time) in reads where !isOfAWalk(time.nanoseconds) {
            layerReads[layer] = max(layerReads[layer] ?? time, time)
        }
    }
}

extension ImageStore {
    /// The layers that a walk read, one after the other from its beginning on, with at most two minutes between.
    fileprivate static func readByWalk(_ reads: [String: Timestamp], begunAt: Int64) -> [String] {
        var last = Timestamp(nanoseconds: begunAt)
        var found: [String] = []
        for (layer, time) in reads.sorted(by: { $0.value < $1.value }) where time >= last {
            guard time - last <= .minutes(2) else { break }
            found.append(layer)
            last = time
        }
        return found
    }
}

extension [Int64] {
    /// The first place of a sorted list from which on the condition holds.
    fileprivate func partitioningIndex(where holds: (Int64) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
