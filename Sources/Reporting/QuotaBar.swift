import CacheModel

/// A volume's size against its quota, with both watermarks marked:
/// `[██████████████▌······|···|··] 16.8 GiB of 20.0 GiB (84 %)`.
struct QuotaBar {
    let used: ByteCount
    let quota: Quota

    /// Bad above the high watermark, where a prune starts.
    var tone: Tone { used > quota.high ? .bad : .good }

    /// The bar, of at most 30 columns and fewer where the width is small, and its figures.
    func text(width: Int) -> String {
        let figures = " \(used) of \(quota.limit) (\(Figures.percent(used, of: quota.limit)))"
        let cells = min(28, width - 2 - DisplayWidth.columns(figures))
        return cells < 8 ? String(figures.dropFirst()) : "[\(cellsText(cells))]\(figures)"
    }

    private func cellsText(_ cells: Int) -> String {
        let halves = place(used, of: cells * 2)
        let marks = [quota.low, quota.high].map { min(cells - 1, place($0, of: cells)) }
        var text = ""
        for cell in 0..<cells {
            if marks.contains(cell) {
                text += "|"
            } else if cell * 2 + 1 < halves {
                text += "█"
            } else {
                text += cell * 2 < halves ? "▌" : "·"
            }
        }
        return text
    }

    private func place(_ size: ByteCount, of cells: Int) -> Int {
        guard quota.limit.bytes > 0 else { return size.bytes > 0 ? cells : 0 }
        return Int(
            (min(max(Double(size.bytes) / Double(quota.limit.bytes), 0), 1) * Double(cells)).rounded(.down))
    }
}
