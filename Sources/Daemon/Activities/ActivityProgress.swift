import CacheServices
import Synchronization

/// How far what runs has come, for whoever looks on meanwhile.
package final class ActivityProgress: Sendable {
    private let texts = Mutex<[ActivityKey: String]>([:])

    /// Nothing runs yet.
    package init() {}

    /// `pruning, 12 of 340 entries`; nil where nothing is told of an activity.
    func text(of key: ActivityKey) -> String? { texts.withLock { $0[key] } }

    /// Forgets an activity that has ended.
    func end(_ key: ActivityKey) { texts.withLock { $0[key] = nil } }

    /// What an activity tells how far it is.
    func display(_ key: ActivityKey, doing: String) -> any ProgressDisplay {
        Display(progress: self, key: key, doing: doing)
    }

    private struct Display: ProgressDisplay {
        let progress: ActivityProgress
        let key: ActivityKey
        let doing: String

        func update(_ text: @autoclosure () -> String) {
            let line = "\(doing), \(text())"
            progress.texts.withLock { $0[key] = line }
        }

        /// What comes next tells of itself.
        func end() { progress.end(key) }
    }
}
