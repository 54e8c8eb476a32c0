import CacheModel
import Caches
import Synchronization

/// An image store as it is now, read again only where its record files changed.
///
/// Reading takes 30 ms for a thousand images, and looking at the files a tenth of one; a warm-up asks several
/// times for each image on its list.
final class CurrentStore: Sendable {
    /// The store with its images' entries, made once for all questions.
    struct Look: Sendable {
        var store: ImageStore
        var entries: [ScannedEntry]
    }

    private let reader: ImageStoreReader
    private let last = Mutex<Look?>(nil)

    /// Nothing is read yet.
    init(root: String) { reader = ImageStoreReader(root: root) }

    /// Nothing is read yet.
    init(of volume: Volume) { reader = ImageStoreReader(of: volume) }

    /// What is in the store.
    ///
    /// - Parameter anew: reads it whatever its files look like. Two changes within one tick of the clock may give a
    ///   file the looks that it had: nobody's word that a pull is done may rest on that.
    /// - Throws: `ImageStoreError`.
    func look(anew: Bool = false) throws -> Look {
        try last.withLock { last in
            if !anew, let known = last, reader.generation() == known.store.generation { return known }
            let store = try reader.read()
            let look = Look(store: store, entries: store.entries())
            last = look
            return look
        }
    }
}
