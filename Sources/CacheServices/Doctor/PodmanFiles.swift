import Foundation

/// What Podman's configuration files in this container say, as far as sharing a store depends on it.
struct PodmanFiles: Sendable, Equatable {
    /// The file with the store's settings; nil where there is none.
    var storageFile: String?
    /// Of `[storage]`: driver, graphroot, rootless_storage_path, transient_store; of its options,
    /// ignore_chown_errors.
    var storage: [String: String] = [:]
    /// Of `[storage.options]`: additionalimagestores.
    var additionalStores: [String] = []
    /// The file with the engine's settings that counts.
    var engineFile: String?
    /// Of `[engine]`: static_dir, tmp_dir, volume_path, events_logger.
    var engine: [String: String] = [:]
    /// Of `[containers]`: netns.
    var containers: [String: String] = [:]

    /// Reads the files that a Podman started here would read: those named by its variables, else those of the
    /// user, else those of the system (containers-storage.conf(5), containers.conf(5)).
    ///
    /// Of containers.conf, the last of those that exist has the last word on each key.
    static func read(environment: [String: String]) -> PodmanFiles {
        var found = PodmanFiles()
        let home = environment["HOME"] ?? ""
        let user = environment["XDG_CONFIG_HOME"] ?? "\(home)/.config"
        let storages =
            environment["CONTAINERS_STORAGE_CONF"].map { [$0] }
            ?? ["\(user)/containers/storage.conf", "/etc/containers/storage.conf"]
        if let file = storages.first(where: { access($0, R_OK) == 0 }) {
            let tables = tables(of: file)
            found.storageFile = file
            found.storage = tables["storage", default: [:]]
            found.additionalStores = (tables["storage.options"]?["additionalimagestores"] ?? "")
                .split(whereSeparator: { "[],\"' ".contains($0) }).map(String.init).filter {
                    $0.hasPrefix("/")
                }
            for table in ["storage.options", "storage.options.vfs"] {
                if let value = tables[table]?["ignore_chown_errors"] {
                    found.storage["ignore_chown_errors"] = value
                }
            }
        }
        let engines =
            environment["CONTAINERS_CONF"].map { [$0] }
            ?? [
                "/usr/share/containers/containers.conf", "/etc/containers/containers.conf",
                "\(user)/containers/containers.conf",
            ]
        for file in engines where access(file, R_OK) == 0 {
            let tables = tables(of: file)
            found.engineFile = file
            found.engine.merge(tables["engine", default: [:]]) { $1 }
            found.containers.merge(tables["containers", default: [:]]) { $1 }
        }
        return found
    }

    /// Keys and values of a TOML file by table, of texts and bare words on one line: all that is asked for here.
    static func tables(of file: String) -> [String: [String: String]] {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return [:] }
        var tables: [String: [String: String]] = [:]
        var table = ""
        var open = ""
        for line in text.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            // A list may go on over several lines.
            if !open.isEmpty {
                let part = line.prefix { $0 != "#" }
                tables[table]?[open, default: ""] += part
                if part.contains("]") { open = "" }
                continue
            }
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                table = line[line.index(after: line.startIndex)..<end].trimmingCharacters(in: .whitespaces)
            } else if !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") {
                let key = line[..<equals].trimmingCharacters(in: .whitespaces)
                let rest = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
                tables[table, default: [:]][key] = value(rest)
                if rest.hasPrefix("["), !rest.contains("]") { open = key }
            }
        }
        return tables
    }

    private static func value(_ text: String) -> String {
        guard let quote = text.first, quote == "\"" || quote == "'" else {
            return text.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
        }
        return String(text.dropFirst().prefix { $0 != quote })
    }
}
