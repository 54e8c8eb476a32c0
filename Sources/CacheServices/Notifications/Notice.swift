import CacheModel
import Foundation
import Reporting

/// Something that people want to be told wherever they are.
package struct Notice: Sendable, Hashable {
    /// What happened.
    package enum Event: String, Sendable, Hashable, CaseIterable {
        /// A prune evicted something.
        case pruned
        /// A prune ended above its goal: nothing more could be evicted safely.
        case overQuota = "over-quota"
        /// A volume is full within the days that are configured.
        case fills
        /// A verification found damage that is still in place.
        case damaged
        /// What the report predicts of a volume is off what was measured there.
        case calibrationOff = "calibration-off"
    }

    /// What happened.
    package var event: Event
    /// To which volume.
    package var volume: String
    /// In a sentence.
    package var text: String
    /// The run that tells more; nil where there is none.
    package var run: String?
    /// The figures by name, in bytes, entries, seconds since 1970 and thousandths.
    package var figures: [String: Int64]
    /// Whether nothing happened, and only the way to the receiver is tried.
    package var isTest = false
    /// What makes it another state than the one before of the same event and volume; empty where none does.
    package var state = ""

    /// Makes a notice from all it consists of.
    package init(
        _ event: Event, of volume: String, _ text: String, run: String? = nil, figures: [String: Int64] = [:]
    ) {
        self.event = event
        self.volume = volume
        self.text = text
        self.run = run
        self.figures = figures
    }
}

extension Notice {
    /// What it is called where it arrives: `over-quota`.
    package var name: String { isTest ? "test" : event.rawValue }

    /// What a prune has to tell; nothing of one that only looked.
    package static func of(_ report: PruneReport) -> [Notice] {
        guard !report.dryRun else { return [] }
        return report.volumes.flatMap { volume -> [Notice] in
            let outcome = volume.outcome
            let left = max(.zero, outcome.usedBefore - outcome.usedAfter)
            let figures = [
                "evicted": Int64(outcome.evicted.count), "refused": Int64(outcome.refused.count),
                "freed_bytes": outcome.freedBytes.bytes, "trashed_bytes": outcome.trashedBytes.bytes,
                "used_bytes": outcome.usedAfter.bytes,
            ]
            var notices: [Notice] = []
            if !outcome.evicted.isEmpty {
                let entries = "\(outcome.evicted.count) \(outcome.evicted.count == 1 ? "entry" : "entries")"
                notices.append(
                    Notice(
                        .pruned, of: outcome.volume,
                        "\(outcome.volume): \(entries) evicted, \(left) left the cache; \(outcome.usedAfter) used.",
                        run: report.run, figures: figures))
            }
            if outcome.overQuota {
                notices.append(
                    Notice(
                        .overQuota, of: outcome.volume,
                        "\(outcome.volume) is still over its quota with \(outcome.usedAfter) used, and nothing more "
                            + "can be evicted safely; larder plan --volume \(outcome.volume) says why.",
                        run: report.run, figures: figures))
            }
            return notices
        }
    }

    /// What a verification has to tell.
    package static func of(_ report: VerifyReport) -> [Notice] {
        report.volumes.compactMap { volume in
            let left = volume.damaged.count { !$0.isQuarantined }
            guard left > 0 else { return nil }
            var notice = Notice(
                .damaged, of: volume.name,
                "\(volume.name): \(left) damaged \(left == 1 ? "file is" : "files are") still in place; larder verify "
                    + "--volume \(volume.name) --quarantine moves build entries away.",
                run: report.run, figures: ["damaged": Int64(left), "checked": volume.checked])
            notice.state = "\(left)"
            return notice
        }
    }

    /// What a capacity report has to tell: which volumes are full soon, and which predictions are off.
    package static func of(_ report: CapacityReport, within span: Span) -> [Notice] {
        full(report, within: span) + report.volumes.compactMap { calibration(of: $0) }
    }

    /// That the replay at today's size is so far off what was measured that nothing it says should be relied on.
    private static func calibration(of volume: CapacityReport.Volume) -> Notice? {
        guard let calibration = volume.sizing.calibration, calibration.confidence == .low,
            volume.sizing.recommendation != nil
        else { return nil }
        func thousandths(_ part: Double?) -> Int64 { Int64(((part ?? 0) * 1000).rounded()) }
        let off = max(abs(calibration.objects ?? 0), abs(calibration.bytes ?? 0))
        return Notice(
            .calibrationOff, of: volume.name,
            "\(volume.name): what the report predicts is off what was measured, by \(points(off)) percentage points of "
                + "hit rate at today's size; larder report --volume \(volume.name) says more.",
            figures: [
                "off_per_mille": thousandths(off),
                "predicted_per_mille": thousandths(calibration.predicted.objects),
                "measured_per_mille": thousandths(calibration.measured.objects),
            ])
    }

    private static func points(_ part: Double) -> String {
        let tenths = Int64((part * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func full(_ report: CapacityReport, within span: Span) -> [Notice] {
        report.volumes.compactMap { volume in
            guard let full = volume.sizing.bytesForecast?.fullAt, full - report.generatedAt <= span else {
                return nil
            }
            let size = volume.sizing.recommendation.map { " The report recommends \($0.quantity)." } ?? ""
            return Notice(
                .fills, of: volume.name,
                "\(volume.name) will be full about \(full.description.prefix(10)).\(size)",
                figures: ["full_at": full.seconds])
        }
    }
}

/// Where notices go.
package struct Webhook: Sendable, Hashable {
    /// The form in which a notice is sent.
    package enum Format: String, Sendable, Hashable, CaseIterable {
        /// `larder.notification/1`.
        case json
        /// `{"text": …}`, as Slack and what is compatible with it take it.
        case slack
    }

    /// What stands in a template for a part of the notice.
    package enum Placeholder: String, Sendable, CaseIterable {
        case volume, event, text, run, cluster, node

        /// As it is written: `{volume}`.
        package var written: String { "{\(rawValue)}" }
    }

    /// Its address; nil where a file holds it.
    package var url: String?
    /// The file that holds its address, where that is a secret.
    package var urlFile: String?
    /// The form.
    package var format = Format.json
    /// What is told.
    package var events = Set(Notice.Event.allCases)
    /// The text in place of the notice's own, with `{volume}`, `{event}`, `{text}`, `{run}`, `{cluster}` and `{node}`.
    package var template: String?

    /// Makes a hook with an address.
    package init(url: String? = nil, urlFile: String? = nil) {
        self.url = url
        self.urlFile = urlFile
    }

    /// The address.
    ///
    /// - Throws: `Failure` where its file cannot be read, or holds none.
    func address() throws -> String {
        var text = url ?? ""
        if let urlFile {
            guard let data = FileManager.default.contents(atPath: urlFile), data.count <= 4096 else {
                throw Failure(
                    code: .configuration, message: "the webhook's address cannot be read from \(urlFile)",
                    hint: "mount the secret there, and let Larder read it")
            }
            text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard Self.isAddress(text) else {
            // The address itself may be a secret.
            throw Failure(
                code: .configuration,
                message: "the webhook in \(urlFile ?? "the configuration") has no usable address",
                hint: "write one that begins with https:// or http://")
        }
        return text
    }

    /// Whether a text is the address of a web server.
    package static func isAddress(_ text: String) -> Bool {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }),
            let url = URL(string: text), url.host?.isEmpty == false
        else { return false }
        return url.scheme == "https" || url.scheme == "http"
    }

    /// What is sent.
    func body(for notice: Notice, at time: Timestamp, cluster: String?, node: String?) throws -> String {
        var text = notice.text
        if let template {
            text = template
            // The text comes last: what it holds is no template.
            for placeholder in Placeholder.allCases.filter({ $0 != .text }) + [.text] {
                let value =
                    switch placeholder {
                    case .volume: notice.volume
                    case .event: notice.name
                    case .text: notice.text
                    case .run: notice.run ?? ""
                    case .cluster: cluster ?? ""
                    case .node: node ?? ""
                    }
                text = text.replacing(placeholder.written, with: value)
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data =
            switch format {
            case .slack: try encoder.encode(["text": text])
            case .json:
                try encoder.encode(
                    Sent(
                        at: time.description, cluster: cluster, event: notice.name,
                        figures: notice.figures, node: node, run: notice.run, text: text,
                        volume: notice.volume))
            }
        return String(decoding: data, as: UTF8.self)
    }

    private struct Sent: Encodable {
        var schema = "larder.notification/1"
        var at: String
        var cluster: String?
        var event: String
        var figures: [String: Int64]
        var node: String?
        var run: String?
        var text: String
        var volume: String
    }
}

/// Who is told of what.
package struct NotificationConfiguration: Sendable, Hashable {
    /// The hooks.
    package var webhooks: [Webhook] = []
    /// A volume that is full within this time is worth a notice.
    package var fillsWithin: Span = .days(7)

    /// Nobody is told anything.
    package init() {}
}
