import CacheModel
import CacheServices

extension Jitter {
    /// The delay for an activity, in whole seconds.
    func delay(of key: ActivityKey, using generator: inout some RandomNumberGenerator) -> Span {
        guard most.seconds > 0 else { return .zero }
        switch kind {
        case .random: return .seconds(Int64.random(in: 0..<most.seconds, using: &generator))
        case .fixed:
            let hash = FNV1a.hash("\(key.activity.rawValue)/\(key.volume ?? "")".utf8)
            return .seconds(Int64(hash % UInt64(most.seconds)))
        }
    }
}
