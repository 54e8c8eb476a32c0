/// When a terminal's colours are used on standard output.
package enum ColorChoice: String, Sendable, CaseIterable {
    /// Always, whatever standard output is.
    case always
    /// Never.
    case never
    /// On a terminal that has colours, unless `NO_COLOR` says otherwise (no-color.org).
    case auto
}
