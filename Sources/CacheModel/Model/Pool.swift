import Synchronization

/// The entries of one kind on a volume.
package enum Pool: RawRepresentable, Sendable, Hashable, CaseIterable, Codable {
    /// GAV directories of a Maven local repository.
    case maven
    /// Module versions in a Gradle user home.
    case gradle
    /// Transforms, wrapper distributions, jars, metadata and the like in a Gradle user home: an entry is a
    /// directory.
    case gradleOther
    /// Images of a containers-storage root.
    case images
    /// What path patterns of the configuration name.
    case own(OwnPoolName)

    /// The pools that are there without any configuration.
    package static let allCases: [Pool] = [.maven, .gradle, .gradleOther, .images]

    /// A pool by its name; nil where none of that name is known to the process.
    ///
    /// A pool of the user's own is known once the configuration or the index named it.
    package init?(rawValue: String) {
        if let pool = Self.allCases.first(where: { $0.rawValue == rawValue }) {
            self = pool
        } else if let name = OwnPoolName(known: rawValue) {
            self = .own(name)
        } else {
            return nil
        }
    }

    /// A pool by its name, which from now on is known; nil for what cannot be a name.
    package init?(named name: String) {
        if let pool = Self(rawValue: name) {
            self = pool
        } else if let name = OwnPoolName(name) {
            self = .own(name)
        } else {
            return nil
        }
    }

    package var rawValue: String {
        switch self {
        case .maven: "maven"
        case .gradle: "gradle"
        case .gradleOther: "gradle-other"
        case .images: "images"
        case .own(let name): name.text
        }
    }

    /// Whether the configuration made it.
    package var isOwn: Bool { if case .own = self { true } else { false } }
}

/// A pool in two bytes, for rows of a million: its place among those that are always there, or behind them its name's.
package struct PoolPlace: Sendable, Hashable {
    private let place: UInt16

    /// The place of a pool.
    ///
    /// Nobody configures 65,000 of them.
    package init(_ pool: Pool) {
        switch pool {
        case .maven: place = 0
        case .gradle: place = 1
        case .gradleOther: place = 2
        case .images: place = 3
        case .own(let name): place = UInt16(clamping: 4 + Int(name.number))
        }
    }

    /// The pool.
    package var pool: Pool {
        switch place {
        case 0: .maven
        case 1: .gradle
        case 2: .gradleOther
        case 3: .images
        default: .own(OwnPoolName(number: Int32(place) - 4))
        }
    }
}

extension Pool: Comparable {
    /// The order of reports: as declared, then those of the user's own by name.
    package static func < (a: Pool, b: Pool) -> Bool {
        let (first, second) = (a.rank, b.rank)
        return first == second ? a.rawValue < b.rawValue : first < second
    }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}

/// The name of a pool of the user's own: 1 to 40 of the characters a-z, 0-9 and `-`.
///
/// Entries are many and names are few, so that an entry holds a number; the numbers are the process's own.
package struct OwnPoolName: Sendable, Hashable {
    fileprivate let number: Int32

    private struct Names {
        var texts: [String] = []
        var numbers: [String: Int32] = [:]
        var ofCodes: [Int64: Int32] = [:]
    }

    private static let names = Mutex(Names())

    fileprivate init(number: Int32) { self.number = number }

    /// Takes a name; nil for what cannot be one, as what the pools that are always there are called.
    package init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-")
        }
        guard isPlain, (1...40).contains(text.utf8.count), text != "unmanaged",
            !Pool.allCases.contains(where: { $0.rawValue == text })
        else { return nil }
        let number = Self.names.withLock { names -> Int32? in
            if let known = names.numbers[text] { return known }
            // Two names with one code, of four thousand million, could not be told apart in the index.
            guard names.ofCodes[Self.code(of: text)] == nil else { return nil }
            let number = Int32(names.texts.count)
            names.texts.append(text)
            names.numbers[text] = number
            names.ofCodes[Self.code(of: text)] = number
            return number
        }
        guard let number else { return nil }
        self.number = number
    }

    /// A name that was taken before.
    package init?(known text: String) {
        guard let number = Self.names.withLock({ $0.numbers[text] }) else { return nil }
        self.number = number
    }

    /// The name with that code; nil where none was taken that has it.
    package init?(code: Int64) {
        guard let number = Self.names.withLock({ $0.ofCodes[code] }) else { return nil }
        self.number = number
    }

    /// The name.
    package var text: String { Self.names.withLock { $0.texts[Int(number)] } }

    /// The number that the index keeps: it follows from the name, so that it is the same in every index.
    package var code: Int64 { Self.code(of: text) }

    /// FNV-1a of 32 bits (draft-eastlake-fnv), above the codes of other pools.
    private static func code(of text: String) -> Int64 {
        let hash = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return 8 + Int64(hash)
    }
}
