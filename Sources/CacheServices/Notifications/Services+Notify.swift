import AsyncHTTPClient
import CacheModel
import Foundation
import NIOCore
import Reporting

extension Services {
    /// How often a notice is tried, and the pauses between.
    static let notificationPauses: [Duration] = [.seconds(1), .seconds(4), .seconds(15)]

    /// How long all webhooks together may take: a chat server that hangs must hold up nobody for long.
    static let notificationTime = Duration.seconds(30)

    /// How often a state that lasts is told.
    private static let toldAgainAfter = Span.hours(23)

    /// Sends notices to the webhooks that want them; what cannot be sent is a warning, and stops nothing.
    ///
    /// A state that lasts is told when it begins, when it changes, and once a day.
    ///
    /// - Returns: what became of each.
    @discardableResult package func tell(
        _ notices: Notices, pauses: [Duration] = Services.notificationPauses,
        within time: Duration = Services.notificationTime
    ) async -> [NotifyReport.Delivery] {
        let hooks = configuration.notifications.webhooks
        guard !hooks.isEmpty else { return [] }
        let index = try? index()
        for state in notices.settled {
            try? index?.recordTold(of: state.event.rawValue, on: state.volume, state: nil, at: clock())
        }
        let news = notices.all.filter { notice in
            guard notice.isOfAState,
                let last = (try? index?.told(of: notice.event.rawValue, on: notice.volume)) ?? nil
            else { return true }
            return last.state != notice.state || clock() - last.at >= Self.toldAgainAfter
        }
        guard !news.isEmpty else { return [] }
        let sent = await deliver(
            hooks.map { hook in news.filter { hook.events.contains($0.event) } }, pauses: pauses, within: time
        )
        for (notice, delivery) in sent where notice.isOfAState && delivery.failure == nil {
            try? index?.recordTold(
                of: notice.event.rawValue, on: notice.volume, state: notice.state, at: clock())
        }
        for (_, delivery) in sent {
            if let failure = delivery.failure { notify("\(delivery.hook): \(failure)", .warning) }
        }
        return sent.map(\.delivery)
    }

    /// What there is to tell now, from the index alone.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func presentNotices() throws -> [Notice] {
        let index = try index(readOnly: true)
        var options = ReportOptions()
        options.looksIntoArtifacts = false
        var notices = Notice.of(
            try capacityReport(options, index, now: clock()),
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
        let wanted = hooks.map { hook in
            guard isTest, let event = Notice.Event.allCases.first(where: hook.events.contains) else {
                return notices.filter { hook.events.contains($0.event) }
            }
            var test = Notice(event, of: "test", "This is a test of Larder's notifications.")
            test.isTest = true
            return [test]
        }
        if dryRun {
            for (place, hook) in hooks.enumerated() {
                report.deliveries += try wanted[place].map { notice in
                    let body = try hook.body(
                        for: notice, at: clock(), cluster: configuration.cluster, node: configuration.node)
                    return .init(hook: Self.name(of: hook, place), event: notice.name, body: body)
                }
            }
        } else {
            report.deliveries = await deliver(
                wanted, pauses: Self.notificationPauses, within: Self.notificationTime
            ).map(\.delivery)
        }
        let failed = report.deliveries.count { $0.failure != nil }
        return ServiceResult(
            report, failed == 0 ? nil : failed == report.deliveries.count ? .failed : .inPart)
    }

    /// Sends to all webhooks at once, to each one notice after the other, until the time for all of it is over.
    ///
    /// - Parameter wanted: what each webhook is told, by its place in the configuration.
    private func deliver(
        _ wanted: [[Notice]], pauses: [Duration], within time: Duration
    ) async -> [(notice: Notice, delivery: NotifyReport.Delivery)] {
        let deadline = ContinuousClock.now + time
        let hooks = configuration.notifications.webhooks
        typealias Sent = [(notice: Notice, delivery: NotifyReport.Delivery)]
        let sent = await withTaskGroup(of: (Int, Sent).self) { group in
            for (place, hook) in hooks.enumerated() where !wanted[place].isEmpty {
                group.addTask {
                    var sent: Sent = []
                    for notice in wanted[place] {
                        let delivery = await deliver(
                            notice, to: hook, number: place, pauses: pauses, until: deadline)
                        sent.append((notice, delivery))
                    }
                    return (place, sent)
                }
            }
            return await group.reduce(into: [Int: Sent]()) { $0[$1.0] = $1.1 }
        }
        return sent.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    private func deliver(
        _ notice: Notice, to hook: Webhook, number: Int, pauses: [Duration],
        until deadline: ContinuousClock.Instant
    ) async -> NotifyReport.Delivery {
        var delivery = NotifyReport.Delivery(
            hook: Self.name(of: hook, number), event: notice.name, body: "")
        do {
            delivery.body = try hook.body(
                for: notice, at: clock(), cluster: configuration.cluster, node: configuration.node)
            let address = try hook.address()
            for pause in pauses.map({ Optional($0) }) + [nil] {
                let left = deadline - .now
                guard left > .zero else {
                    delivery.failure = delivery.failure ?? "no time was left to send it"
                    break
                }
                delivery.attempts += 1
                let (failure, isFinal) = await Self.post(
                    delivery.body, to: address, within: min(left, .seconds(10)))
                delivery.failure = failure
                guard let failure, !isFinal, let pause, .now + pause < deadline else { break }
                notify(
                    "\(delivery.hook): \(failure); trying again in \(pause.components.seconds) s "
                        + "(attempt \(delivery.attempts + 1) of \(pauses.count + 1))", .information)
                try await Task.sleep(for: pause)
            }
        } catch {
            delivery.failure = Failure(error).sentence
        }
        return delivery
    }

    /// The client of webhooks.
    ///
    /// By itself it would try a refused connection for ten seconds and say nothing: here each attempt is told.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }()

    /// Sends one body.
    ///
    /// - Returns: why it failed, without the address, which may be a secret; and whether trying again is of no use.
    private static func post(
        _ body: String, to address: String, within time: Duration
    ) async -> (failure: String?, isFinal: Bool) {
        var request = HTTPClientRequest(url: address)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "larder/\(LarderVersion.current)")
        request.body = .bytes(Array(body.utf8))
        do {
            let answer = try await client.execute(request, timeout: TimeAmount(time))
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
