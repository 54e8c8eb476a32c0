import CacheModel

/// The path patterns of a volume's own pools as one automaton: a walk goes down a tree and keeps, for each directory,
/// which patterns its path may still match.
///
/// Each name of a pattern is a state, and a set of states is the bits of one number: going from a directory to one in
/// it costs a comparison for each pattern that is still open, whatever the depth.
package struct FolderRules: Sendable {
    /// A set of states.
    typealias Place = UInt128

    /// How many states there may be.
    package static let mostStates = 128

    private enum State {
        case anyDepth
        case name(KeyPattern)
        /// A directory that is one entry, by that rule.
        case directory(Int)
        /// A file that is one entry, or a directory all files in which are, by that rule.
        case files(Int)
    }

    private let states: [State]
    /// Where a walk begins: at the root.
    let root: Place
    private let directoryEnds: Place
    private let fileEnds: Place
    /// From where a file's name may lead to an end.
    private let beforeFiles: Place
    /// The pools of the rules.
    let pools: [Pool]
    /// A number that is another one for other rules.
    let fingerprint: UInt64

    /// Puts the rules of some pools together; nil where there are none, or too many.
    init?(_ own: [OwnPool]) {
        guard !own.isEmpty, Self.states(of: own) <= Self.mostStates else { return nil }
        var states: [State] = []
        var pools: [Pool] = []
        var starts: Place = 0
        var (directoryEnds, fileEnds): (Place, Place) = (0, 0)
        var hash = FNV1a()
        func mix(_ text: String) {
            text.utf8.forEach { hash.add($0) }
            // No byte of UTF-8, so that two texts are not taken for one.
            hash.add(0xff)
        }
        for pool in own {
            for rule in pool.rules {
                starts |= Self.bit(states.count)
                for part in rule.pattern.parts {
                    switch part {
                    case .anyDepth: states.append(.anyDepth)
                    case .name(let name): states.append(.name(name))
                    }
                }
                switch rule.unit {
                case .file:
                    fileEnds |= Self.bit(states.count)
                    states.append(.files(pools.count))
                case .directory(let depth):
                    for _ in 0..<depth { states.append(.name(KeyPattern("*"))) }
                    directoryEnds |= Self.bit(states.count)
                    states.append(.directory(pools.count))
                }
                mix(pool.pool.rawValue)
                mix(rule.pattern.text)
                mix("\(rule.unit)")
                pools.append(pool.pool)
            }
        }
        self.states = states
        self.pools = pools
        (self.directoryEnds, self.fileEnds) = (directoryEnds, fileEnds)
        fingerprint = hash.value
        beforeFiles = states.indices.reduce(into: 0) { before, place in
            let next: Place =
                switch states[place] {
                case .anyDepth, .files: Self.bit(place)
                case .name: Self.bit(place + 1)
                case .directory: 0
                }
            if Self.closed(next, states) & fileEnds != 0 { before |= Self.bit(place) }
        }
        root = Self.closed(starts, states)
    }

    /// How many states the rules of some pools have.
    package static func states(of own: [OwnPool]) -> Int {
        own.reduce(0) { sum, pool in
            pool.rules.reduce(sum) { sum, rule in
                if case .directory(let depth) = rule.unit {
                    return sum + rule.pattern.parts.count + depth + 1
                }
                return sum + rule.pattern.parts.count + 1
            }
        }
    }

    private static func bit(_ place: Int) -> Place { Place(1) << Place(place) }

    /// Where any number of directories may stand, none may.
    private static func closed(_ place: Place, _ states: [State]) -> Place {
        var (all, rest) = (place, place)
        while rest != 0 {
            let next = rest.trailingZeroBitCount
            rest &= rest - 1
            if case .anyDepth = states[next], all & bit(next + 1) == 0 {
                all |= bit(next + 1)
                rest |= bit(next + 1)
            }
        }
        return all
    }

    /// Where a name in a directory leads.
    func step(from place: Place, to name: UnsafeBufferPointer<UInt8>) -> Place {
        var (next, rest): (Place, Place) = (0, place)
        while rest != 0 {
            let at = rest.trailingZeroBitCount
            rest &= rest - 1
            switch states[at] {
            case .anyDepth, .files: next |= Self.bit(at)
            case .name(let pattern): if pattern.matches(name) { next |= Self.bit(at + 1) }
            case .directory: break
            }
        }
        return Self.closed(next, states)
    }

    /// The same for a name in a tree's text.
    func step(from place: Place, to name: ArraySlice<UInt8>) -> Place {
        place == 0 ? 0 : name.withUnsafeBufferPointer { step(from: place, to: $0) }
    }

    /// Whether files in a directory there may be entries.
    func mayHoldFiles(_ place: Place) -> Bool { place & beforeFiles != 0 }

    /// The rule by which a directory there is an entry; nil where it is none.
    func ruleOfDirectory(_ place: Place) -> Int? { first(of: place & directoryEnds) }

    /// The rule by which a file there is an entry; nil where it is none.
    func ruleOfFile(_ place: Place) -> Int? { first(of: place & fileEnds) }

    private func first(of ends: Place) -> Int? {
        guard ends != 0 else { return nil }
        switch states[ends.trailingZeroBitCount] {
        case .directory(let rule), .files(let rule): return rule
        case .anyDepth, .name: return nil
        }
    }
}
