import CacheModel

/// What holding a file against something says of it.
enum FileVerdict: Equatable {
    /// It is what it should be.
    case intact
    /// It is not.
    case damaged(DamagedFile.Kind, String)
    /// There is nothing to hold it against, or what there is makes no sense.
    case unverifiable(String)
}
