/// Images that no registry has and that may be evicted all the same, as whoever made them can make them again.
package struct ReplaceableImages: Sendable, Hashable {
    /// Patterns over their names, as `ImagePattern` reads them.
    package var patterns: [String]
    /// How long they must have gone unused.
    package var after: Span

    /// How long that is unless it is said.
    package static let usualTime = Span.days(30)

    /// Makes a rule of both.
    package init(patterns: [String], after: Span) {
        self.patterns = patterns
        self.after = after
    }
}
