import CacheModel

extension CapacityReport {
    /// Names the images that `warm` keeps ready in vain.
    func writeIdleWarmings(to page: inout TextPage) {
        guard !idleWarmings.isEmpty else { return }
        page.blank()
        page.line("warmed in vain", tone: .strong)
        for idle in idleWarmings.prefix(10) {
            page.paragraph("\(idle.reference): \(idle.sentence).", indent: 2, hanging: 2, tone: .warning)
        }
        page.more(idleWarmings.count - 10, indent: 2)
        page.paragraph(
            "Take them off the list in warm.images, or name them no more to larder warm.", indent: 2)
    }
}
