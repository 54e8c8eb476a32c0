/// The entries of one kind on a volume.
package enum Pool: String, Sendable, Hashable, CaseIterable, Codable {
    /// GAV directories of a Maven local repository.
    case maven
    /// Module versions in a Gradle user home.
    case gradle
    /// Transforms, wrapper distributions, jars, metadata and the like in a Gradle user home: an entry is a
    /// directory.
    case gradleOther = "gradle-other"
    /// Images of a containers-storage vfs root.
    case images
}
