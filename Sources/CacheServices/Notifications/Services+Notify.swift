import AsyncHTTPClient
import CacheModel
import Foundation
import NIOCore
import Reporting

extension Services {
    /// How often a notice is tried, and the pauses between.
    static let notificationPauses: [Duration] = [.seconds(1), .seconds(4), .seconds(15)]

    /// Sends notices to the webhooks that want them; what cannot be sent is a warning, and stops nothing.
    ///
    /// - Returns: what became of each.
    @discardableResult package func tell(
        _ notices: [Notice], pauses: [Duration] = Services.notificationPauses
    ) async -> [NotifyReport.Delivery] {
        var deliveries: [NotifyReport.Delivery] = []
        for (place, hook) in configuration.notifications.webhooks.enumerated() {
            for notice in notices where hook.events.contains(notice.event) {
                let delivery = await deliver(notice, to: hook, number: place, pauses: pauses)
                if let failure = delivery.failure { notify("\(delivery.hook): \(failure)", .warning) }
                deliveries.append(delivery)
            }
        }
        return deliveries
    }

    /// What there is to tell now, from the index alone.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func presentNotices() throws -> [Notice] {
        let index = try index(readOnly: true)
        let known = try usages(index)
        var options = ReportOptions()
        options.looksIntoArtifacts = false
        var notices = Notice.of(
            try capacityReport(options, index, of: known, now: clock()),
            within: configuration.notifications.fillsWithin)
        for (volume, figures) in try figures(index) {
            let quota = volume.quota(capacity: figures.capacity)
            guard figures.overQuota, figures.usedBytes > quota.low else { continue }
            notices.append(
                Notice(
                    .overQuota, of: volume.name,
                    "\(volume.name): the last prune ended above its goal with \(figures.usedBytes) used.",
                    figures: ["used_bytes": figures.usedBytes.bytes]))
        }
        return notices
    }

    /// Sends what there is to tell now, or, run dry, says what would be sent.
    ///
    /// - Parameter isTest: whether to send a message that says it is a test, in place of what there is.
    /// - Throws: `IndexError`, `Failure`.
    package func sendNotices(dryRun: Bool, isTest: Bool) async throws -> ServiceResult<NotifyReport> {
        let hooks = configuration.notifications.webhooks
        guard !hooks.isEmpty else {
            throw Failure(
                code: .configuration, message: "no webhook is configured",
                hint: "add one to notifications.webhooks in the configuration file")
        }
        let notices = isTest ? [] : try presentNotices()
        var report = NotifyReport(dryRun: dryRun, deliveries: [])
        for (place, hook) in hooks.enumerated() {
            var wanted = notices.filter { hook.events.contains($0.event) }
            if isTest, let event = Notice.Event.allCases.first(where: hook.events.contains) {
                wanted = [Notice(event, of: "test", "This is a test of Larder's notifications.")]
            }
            for notice in wanted {
                if dryRun {
                    let body = try hook.body(
                        for: notice, at: clock(), cluster: configuration.cluster, node: configuration.node)
                    report.deliveries.append(
                        .init(hook: Self.name(of: hook, place), event: notice.event.rawValue, body: body))
                } else {
                    report.deliveries.append(
                        await deliver(notice, to: hook, number: place, pauses: Self.notificationPauses))
                }
            }
        }
        let failed = report.deliveries.count { $0.failure != nil }
        return ServiceResult(
            report, failed == 0 ? nil : failed == report.deliveries.count ? .failed : .inPart)
    }

    private func deliver(
        _ notice: Notice, to hook: Webhook, number: Int, pauses: [Duration]
    ) async -> NotifyReport.Delivery {
        var delivery = NotifyReport.Delivery(
            hook: Self.name(of: hook, number), event: notice.event.rawValue, body: "")
        do {
            delivery.body = try hook.body(
                for: notice, at: clock(), cluster: configuration.cluster, node: configuration.node)
            let address = try hook.address()
            for pause in pauses.map({ Optional($0) }) + [nil] {
                delivery.attempts += 1
                let (failure, isFinal) = await Self.post(delivery.body, to: address)
                delivery.failure = failure
                guard failure != nil, !isFinal, let pause else { break }
                try await Task.sleep(for: pause)
            }
        } catch {
            delivery.failure = Failure(error).sentence
        }
        return delivery
    }

    /// Sends one body.
    ///
    /// - Returns: why it failed, without the address, which may be a secret; and whether trying again is of no use.
    private static func post(_ body: String, to address: String) async -> (failure: String?, isFinal: Bool) {
        var request = HTTPClientRequest(url: address)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "larder/\(LarderVersion.current)")
        request.body = .bytes(Array(body.utf8))
        do {
            let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            let code = answer.status.code
            if (200...299).contains(code) { return (nil, true) }
            return ("the server answered \(code)", (400...499).contains(code) && code != 408 && code != 429)
        } catch let error as HTTPClientError {
            return ("the server cannot be reached: \(error.shortDescription)", false)
        } catch {
            return ("the server cannot be reached", false)
        }
    }

    /// A hook's name for messages: its place and its server, as the rest of an address may be a secret.
    private static func name(of hook: Webhook, _ number: Int) -> String {
        let host = hook.url.flatMap { URL(string: $0)?.host }.map { " (\($0))" } ?? ""
        return "notifications.webhooks[\(number)]\(host)"
    }
}
