/// How a name in the store stands to what its registry has under it now.
public struct CheckedImage: Sendable, Hashable {
    /// What was found.
    public enum Result: String, Sendable, Hashable, CaseIterable {
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
    public var reference: String
    /// What was found.
    public var result: Result
    /// The digest of the manifest in the store, `sha256:…`; nil where it is not there.
    public var localDigest: String?
    /// The digest that the registry has under the name; nil where it did not say.
    public var remoteDigest: String?
    /// When it was pulled last; nil where the store does not know.
    public var pulledAt: Timestamp?
    /// Why the result is not known, or why it is `same` in spite of two digests.
    public var reason: String?
    /// Why it was looked at: `named`, `configured`, `in the store`, or the uses that speak for it.
    public var why: String

    /// Makes a record from all it consists of.
    public init(
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
