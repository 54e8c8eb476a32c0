/// An object in the course of a replay.
struct ReplayedObject {
    /// What it occupies; -1 where it is not there.
    var bytes: Int64 = -1
    var lastUsed: Int64 = 0
    /// The number of its turn; 0 where it has none.
    var turn: Int32 = 0
    var pool: UInt8
    var isPinned: Bool
    /// Whether it was not used again since its fetch; for SIEVE, whether it was used since its last turn.
    var isOnProbation = false

    init(pool: UInt8, isPinned: Bool) {
        self.pool = pool
        self.isPinned = isPinned
    }
}

/// Objects in the order of their turns, the oldest first.
///
/// An object that gets another turn stays in its old place too, where the number of the turn is no longer its own:
/// that is passed over, and taken out when there is more of it than of what counts. To move an object costs one
/// append, where a linked list touches three others.
struct TurnQueue {
    private var turns: [(object: Int32, turn: Int32)] = []
    /// Before here nothing counts any more.
    private var first = 0
    /// How many of them count.
    var count = 0

    mutating func append(_ object: Int, _ turn: Int32, _ nodes: UnsafeMutableBufferPointer<ReplayedObject>) {
        if turns.count > 2 * count + 4096 {
            turns.removeAll { nodes[Int($0.object)].turn != $0.turn }
            first = 0
        }
        turns.append((Int32(object), turn))
        count += 1
    }

    /// The place of the oldest; behind the last where there is none.
    mutating func begin(_ nodes: UnsafeMutableBufferPointer<ReplayedObject>) -> Int {
        first = next(after: first - 1, nodes)
        return first
    }

    /// The next place behind another one that counts.
    func next(after place: Int, _ nodes: UnsafeMutableBufferPointer<ReplayedObject>) -> Int {
        var place = place + 1
        while place < turns.count, nodes[Int(turns[place].object)].turn != turns[place].turn { place += 1 }
        return place
    }

    /// Who has its turn there; nil behind the last.
    func object(at place: Int) -> Int? { place < turns.count ? Int(turns[place].object) : nil }
}
