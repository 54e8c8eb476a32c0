/// A file system on which several volumes lie.
package struct SharedDisk: Sendable, Hashable {
    /// One of the volumes on it.
    package struct Share: Sendable, Hashable {
        /// The volume's name.
        package var volume: String
        /// The size that it may grow to: its limit, or all that there is where none is set.
        package var limit: ByteCount
        /// Whether that was set.
        package var isSet: Bool
    }

    /// What jobs can fill of it.
    package var usable: ByteCount
    /// The volumes on it, in the order of the configuration: two or more.
    package var shares: [Share]

    /// All file systems that hold two volumes or more that are pruned, in the order of the configuration.
    ///
    /// - Parameter volumes: each with what was seen of its file system, all on one machine. File systems of two sizes are
    ///   two, whatever they are called: a number may have been given to another one since it was read.
    package static func all(
        _ volumes: [(volume: Volume, capacity: Capacity, facts: FileSystemFacts)]
    ) -> [SharedDisk] {
        struct Identity: Hashable {
            var number: UInt64
            var total: ByteCount
        }
        var disks: [SharedDisk] = []
        var places: [Identity: Int] = [:]
        for (volume, capacity, facts) in volumes where !volume.isReadOnly {
            let number = facts.fileSystem == 0 ? facts.device : facts.fileSystem
            let limit = volume.quota(capacity: capacity).limit
            let share = Share(volume: volume.name, limit: limit, isSet: volume.limit != nil)
            let identity = Identity(number: number, total: capacity.total)
            if let place = places[identity] {
                disks[place].shares.append(share)
                // Others write between two looks: the more cautious one counts.
                disks[place].usable = min(disks[place].usable, capacity.usable)
            } else {
                places[identity] = disks.count
                disks.append(SharedDisk(usable: capacity.usable, shares: [share]))
            }
        }
        return disks.filter { $0.shares.count > 1 }
    }

    /// What its volumes may grow to together.
    package var limits: ByteCount { shares.reduce(.zero) { $0 + $1.limit } }

    /// That it can be full while each of its volumes is within its limit; nil where it cannot.
    package var sentence: String? {
        guard limits > usable else { return nil }
        let all = shares.map { "\($0.volume) (\($0.isSet ? "limit" : "no limit, so all") \($0.limit))" }
        return
            "\(all.dropLast().joined(separator: ", ")) and \(all.last ?? "") share a file system that holds \(usable): "
            + "it can be full with each of them within its limit"
    }

    /// What can be done about that.
    package static let hint =
        "set limits that come to no more than the file system holds, or give each a volume of its own"
}
