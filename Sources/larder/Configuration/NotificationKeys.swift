import CacheModel
import CacheServices
import Yams

extension ConfigurationKeys {
    /// The keys of `notifications`.
    static let notifications = ["webhooks", "fills_within"]
    /// The keys of a webhook.
    static let webhook = ["url", "url_file", "format", "events", "template"]
}

extension MappingReader {
    /// The webhooks of `notifications.webhooks`.
    func webhooks() -> [Webhook] {
        let accepted = "a list of webhooks, each with url or url_file"
        return (list("webhooks", accepted: accepted) ?? []).enumerated().compactMap { index, node in
            guard
                let reader = MappingReader(
                    node, path: keyPath("webhooks[\(index)]"), known: ConfigurationKeys.webhook, of: document,
                    problems)
            else { return nil }
            var hook = Webhook(
                url: reader.value("url", .webAddress), urlFile: reader.value("url_file", .path))
            if (reader.node("url") == nil) == (reader.node("url_file") == nil) {
                problems.add(reader.origin, reader.path, "accepted: one of url and url_file")
            }
            if let format = reader.value("format", .webhookFormat) { hook.format = format }
            if let template = reader.value("template", .template) { hook.template = template }
            if let events = reader.list(
                "events", accepted: "a list of \(ValueFormat<Notice.Event>.event.accepted)")
            {
                hook.events = Set(
                    events.enumerated().compactMap { place, node in
                        reader.event(node, key: "events[\(place)]")
                    })
            }
            return hook
        }
    }

    private func event(_ node: Node, key: String) -> Notice.Event? {
        let format = ValueFormat<Notice.Event>.event
        if case .scalar(let scalar) = node, let event = format.read(scalar.string) { return event }
        let text =
            if case .scalar(let scalar) = node { format.refusal(of: scalar.string) } else {
                "found \(MappingReader.shape(of: node)); accepted: \(format.accepted)"
            }
        problems.add(document.origin(of: node), keyPath(key), text)
        return nil
    }
}

extension ValueFormat<String> {
    /// The address of a web server.
    static var webAddress: Self {
        Self(
            accepted: "an address that begins with https:// or http://",
            read: { Webhook.isAddress($0) ? $0 : nil })
    }

    /// The text of a notification.
    static var template: Self {
        let known = Webhook.Placeholder.allCases.map(\.written)
        return Self(
            accepted: "1 to 1000 characters, with \(known.dropLast().joined(separator: ", ")) and "
                + (known.last ?? ""),
            read: { (1...1000).contains($0.count) && strangePlaceholder(in: $0) == nil ? $0 : nil },
            guess: { text in
                strangePlaceholder(in: text).flatMap { nearest($0, among: known) }.map { "`\($0)`" }
            }, flaw: { strangePlaceholder(in: $0).map { "\(quotable($0)) stands for nothing" } })
    }

    /// The first word in braces that nothing is put in the place of; nil where there is none.
    @Sendable private static func strangePlaceholder(in text: String) -> String? {
        let known = Webhook.Placeholder.allCases.map(\.written)
        return text.matches(of: /\{[A-Za-z_-]+\}/).map { String($0.output) }.first { !known.contains($0) }
    }
}

extension ValueFormat<Webhook.Format> {
    /// The form of a notification.
    static var webhookFormat: Self {
        let known = Webhook.Format.allCases.map(\.rawValue)
        return Self(
            accepted: known.joined(separator: ", "), read: { Webhook.Format(rawValue: $0) },
            guess: { nearest($0, among: known).map { "`\($0)`" } })
    }
}

extension ValueFormat<Notice.Event> {
    /// What is told of.
    static var event: Self {
        let known = Notice.Event.allCases.map(\.rawValue)
        return Self(
            accepted: known.joined(separator: ", "), read: { Notice.Event(rawValue: $0) },
            guess: { nearest($0, among: known).map { "`\($0)`" } })
    }
}
