import CacheModel

extension CapacityReport {
    /// What a vfs store costs more than one that shares layers.
    package struct ImageTax: Sendable, Hashable {
        /// What all layers occupy, each with a copy of its parents.
        package var stored: ByteCount
        /// What they hold, each content once.
        package var unique: ByteCount
        /// The part of `stored` that is containers' copies of their images.
        package var containerCopies: ByteCount
        /// How many containers there were at the last scan.
        package var containers = 0
        /// The most there were at once, by event logs; nil where those tell nothing.
        package var peak: ContainerPeak?
        /// What the containers' copies must surely be counted for: what is there now, and the peak where every
        /// container of the logs was seen to go.
        package var sureContainerBytes: ByteCount {
            max(containerCopies, peak.map { $0.assumedEnds == 0 ? $0.bytes : .zero } ?? .zero)
        }

        /// What the peak comes to where the end of some containers was assumed; zero where it is counted for sure.
        package var doubtfulContainerBytes: ByteCount {
            peak.map { $0.assumedEnds > 0 && $0.bytes > containerCopies ? $0.bytes : .zero } ?? .zero
        }

        /// What the disk really holds; nil where it was not measured, or the file system cannot share.
        package var sharing: StoreSharing?

        /// Adds up the layers of a store; nil where there are none, and where none has a copy of what lies below it.
        package init?(_ layers: [ScannedLayer]) {
            let upper = layers.filter { $0.parent != nil && $0.diffBytes > .zero }
            let copies = upper.isEmpty || upper.contains { $0.storedBytes > $0.diffBytes }
            guard !layers.isEmpty, copies else { return nil }
            stored = layers.reduce(.zero) { $0 + $1.storedBytes }
            unique = layers.reduce(.zero) { $0 + $1.diffBytes }
            containerCopies = layers.reduce(.zero) {
                $1.images == 0 && $1.containers > 0 && $1.diffBytes == .zero ? $0 + $1.storedBytes : $0
            }
        }

        /// Stored by unique bytes; 1 where nothing is stored.
        package var factor: Double {
            unique.bytes > 0 ? Double(stored.bytes) / Double(unique.bytes) : 1
        }

        /// What a driver that keeps each layer once would save.
        package var overlaySaves: ByteCount { max(.zero, stored - unique) }
    }
}

extension CapacityReport.ImageTax {
    /// What it costs and what would save it, in sentences.
    var sentences: [String] {
        let factor = CapacityReport.Volume.short(factor)
        var sentences = [
            "The layers occupy \(stored), their contents \(unique): \(factor) times as much. "
                + "The overlay driver would save \(overlaySaves); a file system with reflinks as much at most."
        ]
        if containerCopies > .zero {
            sentences.append("Of it \(containerCopies) are containers' copies of their images.")
        }
        if let sharing {
            let saved = max(.zero, sharing.mapped - sharing.occupied)
            var text =
                "Measured on disk: the files map \(sharing.mapped) and occupy \(sharing.occupied); "
                + "shared extents save \(saved) already."
            if sharing.unreadable > 0 {
                text += " \(Figures.count(sharing.unreadable, "path", "paths")) could not be read."
            }
            sentences.append(text)
        }
        if let peak {
            sentences.append(
                "At most \(Figures.count(Int64(peak.containers), "container", "containers")) at once, with "
                    + "\(peak.bytes) of copies, on \(peak.at.description.prefix(10)); there "
                    + "\(containers == 1 ? "is" : "are") \(containers) now. From event logs since "
                    + "\(peak.since.description.prefix(10))"
                    + (peak.assumedEnds == 0
                        ? "."
                        : "; confidence is low: \(Figures.count(Int64(peak.assumedEnds), "container", "containers")) "
                            + "logged no removal and \(peak.assumedEnds == 1 ? "counts" : "count") for the jobs' "
                            + "longest run time (\(peak.longest)).")
            )
        } else {
            let now = Figures.count(Int64(containers), "container", "containers")
            sentences.append(
                "There \(containers == 1 ? "is" : "are") \(now) now; no event log tells how many there were at once."
            )
        }
        return sentences
    }

    var jsonValue: JSONValue {
        [
            "stored_bytes": .bytes(stored), "unique_bytes": .bytes(unique), "tax": .number(factor),
            "overlay_saves_bytes": .bytes(overlaySaves), "container_bytes": .bytes(containerCopies),
            "measured": sharing.map {
                [
                    "mapped_bytes": .bytes($0.mapped), "occupied_bytes": .bytes($0.occupied),
                    "unreadable": .integer($0.unreadable),
                ]
            } ?? .null,
            "containers": [
                "now": .integer(Int64(containers)), "peak": .optional(peak.map { Double($0.containers) }),
                "peak_at": .optional(peak?.at), "peak_bytes": .optional(peak?.bytes),
                "since": .optional(peak?.since),
                "evidence": .optional(peak.map { _ in Evidence.podmanEvents.rawValue }),
                "confidence": .text(
                    (peak.map { $0.assumedEnds == 0 ? Confidence.medium : .low } ?? Confidence.none).rawValue),
            ],
        ]
    }
}
