import CacheModel

extension CapacityReport {
    /// What is said of the file systems that hold several volumes: whether what is advised for these fits together.
    var diskSentences: [String] {
        sharedDisks.map { disk in
            let names = disk.shares.map(\.volume)
            let place = "\(Figures.list(names)) share a file system that holds \(disk.usable)"
            let advice =
                needed(on: disk).map { needed in
                    needed > disk.usable
                        ? "What they need comes to \(needed) together: it is too small for them."
                        : "What they need comes to \(needed) together, which it holds."
                } ?? "What they need together is not known yet."
            let limits = disk.limits > disk.usable
            return "\(place). \(advice)"
                + (limits
                    ? " Their limits come to \(disk.limits), so that it can be full with each of them within its limit: "
                        + "\(SharedDisk.hint)." : "")
        }
    }

    /// What the parts of the advised sizes of its volumes come to; nil where one of them has no recommendation.
    private func needed(on disk: SharedDisk) -> ByteCount? {
        var sum = ByteCount.zero
        for share in disk.shares {
            guard let volume = volumes.first(where: { $0.name == share.volume }),
                let advice = volume.sizing.recommendation
            else { return nil }
            sum += advice.sum
        }
        return sum
    }

    func diskValue(_ disk: SharedDisk) -> JSONValue {
        [
            "volumes": .array(disk.shares.map { .text($0.volume) }), "usable_bytes": .bytes(disk.usable),
            "limit_bytes": .bytes(disk.limits), "needed_bytes": .optional(needed(on: disk)),
        ]
    }
}
