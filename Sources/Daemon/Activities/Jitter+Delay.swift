import CacheModel
import CacheServices

extension Jitter {
    /// The delay for an activity, in whole seconds.
    func delay(of key: ActivityKey, using generator: inout some RandomNumberGenerator) -> Span {
        guard most.seconds > 0 else { return .zero }
        switch kind {
        case .random: return .seconds(Int64.random(in: 0..<most.seconds, using: &generator))
        case .fixed:
            // FNV-1a, 64 bits (Fowler, Noll, Vo).
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in "\(key.activity.rawValue)/\(key.volume ?? "")".utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
            return .seconds(Int64(hash % UInt64(most.seconds)))
        }
    }
}
