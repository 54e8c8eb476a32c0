import CacheModel

/// What was sent to webhooks, or would be.
package struct NotifyReport: Report {
    /// One notice on its way to one webhook.
    package struct Delivery: Sendable, Hashable {
        /// The webhook, by its place in the configuration and its server.
        package var hook: String
        /// What happened: `over-quota`.
        package var event: String
        /// What is sent.
        package var body: String
        /// How often it was tried; zero in a dry run.
        package var attempts = 0
        /// Why it failed; nil where it did not.
        package var failure: String?

        /// Makes a delivery that was not tried.
        package init(hook: String, event: String, body: String) {
            self.hook = hook
            self.event = event
            self.body = body
        }
    }

    /// Whether nothing was sent.
    package var dryRun: Bool
    /// The deliveries, by webhook.
    package var deliveries: [Delivery]

    /// Makes a report from both.
    package init(dryRun: Bool, deliveries: [Delivery]) {
        self.dryRun = dryRun
        self.deliveries = deliveries
    }

    /// The deliveries for people, each with what is sent.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let number = Figures.count(Int64(deliveries.count), "notification", "notifications")
        let failed = deliveries.count { $0.failure != nil }
        if deliveries.isEmpty {
            page.line("There is nothing to notify anyone of.", tone: .good)
        } else if dryRun {
            page.line("Dry run, nothing was sent: \(number).", tone: .strong)
        } else {
            page.line(
                failed == 0 ? "\(number) sent." : "\(number), \(failed) of them could not be sent.",
                tone: failed == 0 ? .good : .bad)
        }
        for delivery in deliveries {
            page.blank()
            page.line("\(delivery.hook): \(delivery.event)", tone: .strong)
            page.line(delivery.body, indent: 2)
            guard let failure = delivery.failure else { continue }
            page.paragraph(
                "\(failure), after \(Figures.count(Int64(delivery.attempts), "attempt", "attempts"))",
                indent: 2,
                tone: .bad)
        }
        return page.text
    }

    /// The deliveries as `larder.notify/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.notify/1", "dry_run": .bool(dryRun),
            "deliveries": .array(
                deliveries.map {
                    [
                        "webhook": .text($0.hook), "event": .text($0.event), "body": .text($0.body),
                        "attempts": .integer(Int64($0.attempts)), "error": .optional($0.failure),
                    ]
                }),
        ]
        return try document.document()
    }
}
