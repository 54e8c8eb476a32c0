/// The version of this program, for `--version`, metrics and the dashboard.
package enum LarderVersion {
    /// The version, as semver.org writes it.
    package static let current = "0.1.0"
}
