/// How a name in the store stands to what its registry has under it now.
package struct CheckedImage: Sendable, Hashable {
    /// What was found.
    package enum Result: String, Sendable, Hashable, CaseIterable {
        /// The registry has the image that is in the store.
        case same
        /// The registry has another one: a pull would bring it.
        case moved
        /// It is not in the store.
        case absent
        /// The registry could not be asked, or did not say.
        case unknown
    }

    /// Its name, in full.
    package var reference: String
    /// What was found.
    package var result: Result
    /// The digest of the manifest in the store, `sha256:…`; nil where it is not there.
    package var localDigest: String?
    /// The digest that the registry has under the name; nil where it did not say.
    package var remoteDigest: String?
    /// When it was pulled last; nil where the store does not know.
    package var pulledAt: Timestamp?
    /// Why the result is not known, or why it is `same` in spite of two digests.
    package var reason: String?
    /// Why it was looked at: `named`, `configured`, `in the store`, or the uses that speak for it.
    package var why: String

    /// Makes a record from all it consists of.
    package init(
        reference: String, result: Result, localDigest: String? = nil, remoteDigest: String? = nil,
        pulledAt: Timestamp? = nil, reason: String? = nil, why: String = "named"
    ) {
        self.reference = reference
        self.result = result
        self.localDigest = localDigest
        self.remoteDigest = remoteDigest
        self.pulledAt = pulledAt
        self.reason = reason
        self.why = why
    }
}
