import CacheModel

/// `larder.plan/1` as it stands in a file.
struct PlanFile: Decodable {
    struct Header: Decodable {
        let schema: String
    }

    /// A whole number.
    ///
    /// For one that does not fit, Foundation's decoder throws an error of its own that names no place.
    struct Whole<Number: FixedWidthInteger & Decodable>: Decodable {
        let value: Number

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                value = try container.decode(Number.self)
            } catch let error where !(error is DecodingError) {
                throw DecodingError.typeMismatch(
                    Number.self, .init(codingPath: decoder.codingPath, debugDescription: "does not fit"))
            }
        }
    }

    struct Volume: Decodable {
        let name: String
        let used: Whole<Int64>
        let limit: Whole<Int64>
        let high: Whole<Int64>
        let low: Whole<Int64>
        let goal: Whole<Int64>
        let evict: [Line]
        let freed: Whole<Int64>
        let reachesLow: Bool

        enum CodingKeys: String, CodingKey {
            case name, evict
            case used = "used_bytes"
            case limit = "limit_bytes"
            case high = "high_bytes"
            case low = "low_bytes"
            case goal = "goal_bytes"
            case freed = "freed_bytes"
            case reachesLow = "reaches_low"
        }
    }

    struct Line: Decodable {
        let pool: String
        let key: String
        let path: String
        let inode: Whole<UInt64>
        let bytes: Whole<Int64>
        let exclusive: Whole<Int64>
        let accessed: Whole<Int64>
        let lastUsed: Timestamp
        let reason: String

        enum CodingKeys: String, CodingKey {
            case pool, key, path, inode, bytes, accessed, reason
            case exclusive = "exclusive_bytes"
            case lastUsed = "last_used"
        }
    }

    let plan: String
    let created: Timestamp
    let volumes: [Volume]

    enum CodingKeys: String, CodingKey {
        case plan, volumes
        case created = "created_at"
    }
}

extension PlanFile.Whole<Int64> {
    fileprivate var size: ByteCount { ByteCount(value) }
}

extension PlanFile {
    /// The document, once every value is one that a plan can hold.
    func document() throws(PlanDocumentError) -> PlanDocument {
        var checked: [PlanDocument.Volume] = []
        for (number, volume) in volumes.enumerated() {
            let place = "volumes[\(number)]"
            if checked.contains(where: { $0.name == volume.name }) {
                throw PlanDocumentError(place: "\(place).name", problem: "\(volume.name) is there twice")
            }
            var lines: [PlanDocument.Line] = []
            var paths: Set<VolumePath> = []
            lines.reserveCapacity(volume.evict.count)
            for (number, line) in volume.evict.enumerated() {
                let line = try line.checked(at: "\(place).evict[\(number)]")
                guard paths.insert(line.path).inserted else {
                    throw PlanDocumentError(
                        place: "\(place).evict[\(number)].path", problem: "\(line.path) is there twice")
                }
                lines.append(line)
            }
            checked.append(
                PlanDocument.Volume(
                    name: volume.name, usedBytes: volume.used.size,
                    quota: Quota(limit: volume.limit.size, high: volume.high.size, low: volume.low.size),
                    goal: volume.goal.size, evict: lines, freedBytes: volume.freed.size,
                    reachesGoal: volume.reachesLow))
        }
        return PlanDocument(plan: plan, createdAt: created, volumes: checked)
    }
}

extension PlanFile.Line {
    fileprivate func checked(at place: String) throws(PlanDocumentError) -> PlanDocument.Line {
        guard let pool = Pool(rawValue: pool) else {
            let known = Pool.allCases.map(\.rawValue).joined(separator: ", ")
            throw PlanDocumentError(place: "\(place).pool", problem: "one of \(known) expected, not \(pool)")
        }
        guard let bytes = unescaped(path), let path = VolumePath(bytes: bytes), path != .root else {
            throw PlanDocumentError(
                place: "\(place).path", problem: "a path below the volume's root expected, not \(path)")
        }
        for (name, size) in [("bytes", self.bytes), ("exclusive_bytes", exclusive)] where size.value < 0 {
            throw PlanDocumentError(place: "\(place).\(name)", problem: "a size expected, not \(size.value)")
        }
        return PlanDocument.Line(
            pool: pool, key: key, path: path, inode: inode.value, bytes: self.bytes.size,
            exclusiveBytes: exclusive.size, accessed: Timestamp(nanoseconds: accessed.value),
            lastUsed: lastUsed, reason: reason)
    }
}
