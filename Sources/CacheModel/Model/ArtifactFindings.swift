/// What a look into the entries of a build cache found, beyond what a scan records.
package struct ArtifactFindings: Sendable, Hashable {
    /// A version that Maven's and Gradle's cache both hold, with files of the same content.
    package struct Duplicate: Sendable, Hashable {
        /// Its row in the index, in the pool `maven`.
        package var maven: Int64
        /// Its row in the index, in the pool `gradle`.
        package var gradle: Int64
        /// What the files occupy that are in both, counted once.
        package var bytes: ByteCount

        /// Makes a record from all it consists of.
        package init(maven: Int64, gradle: Int64, bytes: ByteCount) {
            self.maven = maven
            self.gradle = gradle
            self.bytes = bytes
        }
    }

    /// A SNAPSHOT with builds that a later one replaced.
    package struct OldBuilds: Sendable, Hashable {
        /// Its row in the index.
        package var entry: Int64
        /// How many files of replaced builds there are.
        package var files: Int64
        /// What they occupy.
        package var bytes: ByteCount

        /// Makes a record from all it consists of.
        package init(entry: Int64, files: Int64, bytes: ByteCount) {
            self.entry = entry
            self.files = files
            self.bytes = bytes
        }
    }

    /// The versions that both caches hold.
    package var duplicates: [Duplicate] = []
    /// The SNAPSHOTs with replaced builds.
    package var oldBuilds: [OldBuilds] = []
    /// How many entries were not looked at, because there were too many or they could not be read.
    package var passedOver: Int64 = 0

    /// Makes an empty record.
    package init() {}
}
