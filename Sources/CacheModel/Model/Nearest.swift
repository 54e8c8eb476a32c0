/// The name among those known that a misspelt one is closest to; nil where none is close.
///
/// Close is an edit distance (Damerau 1964: neighbours swapped count once) of at most a third of the length, at least
/// one; capitals and dashes do not count.
package func nearest(_ name: String, among known: some Sequence<String>) -> String? {
    guard !name.isEmpty, name.utf8.count <= 60 else { return nil }
    let wanted = letters(name)
    let distances = known.map { (name: $0, distance: editDistance(wanted, letters($0))) }
    guard let best = distances.min(by: { $0.distance < $1.distance }),
        best.distance <= max(1, best.name.count / 3)
    else { return nil }
    return best.name
}

/// The names that are closest to one, the closest first: those that hold it, then those within a third of its length.
///
/// - Parameters:
///   - name: what a person wrote.
///   - known: the names that there are.
///   - count: how many at most.
package func nearest(_ name: String, among known: some Sequence<String>, count: Int) -> [String] {
    guard !name.isEmpty else { return [] }
    let wanted = letters(name)
    let most = max(1, wanted.count / 3)
    let ranked = known.compactMap { candidate -> (name: String, distance: Int, isLonger: Int)? in
        let other = letters(candidate)
        guard abs(other.count - wanted.count) <= most, wanted.count <= 200 else { return nil }
        let distance = editDistance(wanted, other)
        // Of two as close, the one that was begun is meant sooner.
        return distance <= most ? (candidate, distance, other.starts(with: wanted) ? 0 : 1) : nil
    }
    return ranked.sorted { ($0.distance, $0.isLonger, $0.name) < ($1.distance, $1.isLonger, $1.name) }
        .prefix(count).map(\.name)
}

private func letters(_ text: String) -> [Character] { text.lowercased().map { $0 == "-" ? "_" : $0 } }

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [Array(0...b.count)]
    for (i, left) in a.enumerated() {
        var row = [i + 1]
        for (j, right) in b.enumerated() {
            var best = min(rows[i][j] + (left == right ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, left == b[j - 1], right == a[i - 1] { best = min(best, rows[i - 1][j - 1] + 1) }
            row.append(best)
        }
        rows.append(row)
    }
    return rows[a.count][b.count]
}
