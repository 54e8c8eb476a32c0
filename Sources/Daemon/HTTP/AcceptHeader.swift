import Reporting

/// The header field `Accept` (RFC 9110, 12.5.1), as far as metrics need it.
struct AcceptHeader {
    private struct Range {
        var type: String
        var parameters: [String: String]
        var quality: Double
    }

    private var ranges: [Range] = []

    init(_ header: String?) {
        for part in (header ?? "").split(separator: ",").prefix(32) {
            let pieces = part.split(separator: ";").map { $0.trimming() }
            guard let type = pieces.first?.lowercased(), type.contains("/") else { continue }
            var range = Range(type: type, parameters: [:], quality: 1)
            for piece in pieces.dropFirst() {
                let pair = piece.split(separator: "=", maxSplits: 1).map { $0.trimming() }
                guard pair.count == 2 else { continue }
                if pair[0].lowercased() == "q" {
                    range.quality = Double(pair[1]).map { min(max($0, 0), 1) } ?? 0
                } else {
                    range.parameters[pair[0].lowercased()] = pair[1]
                }
            }
            ranges.append(range)
        }
    }

    /// The format that is wanted most; the older one where nothing tells, as every scraper reads it.
    var metrics: Metrics.Format {
        let open = quality(of: "application/openmetrics-text", versions: ["1.0.0", "0.0.1"])
        let plain = quality(of: "text/plain", versions: ["0.0.4"])
        return open.quality > 0 && (open.quality, open.precision) > (plain.quality, plain.precision)
            ? .openMetrics : .prometheus
    }

    /// The quality that the most precise range gives a type, and how precise that is.
    private func quality(of type: String, versions: [String]) -> (quality: Double, precision: Int) {
        let wildcard = type.prefix { $0 != "/" } + "/*"
        var best = (quality: 0.0, precision: -1)
        for range in ranges {
            let precision = range.type == type ? 2 : range.type == wildcard ? 1 : range.type == "*/*" ? 0 : -1
            if let version = range.parameters["version"], !versions.contains(version) { continue }
            guard precision >= 0, (precision, range.quality) > (best.precision, best.quality) else {
                continue
            }
            best = (range.quality, precision)
        }
        return best
    }
}

extension Substring {
    fileprivate func trimming() -> String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
