import CacheModel
import CacheServices
import Caches
import Dispatch
import FileAccess
import Glibc
import Synchronization

/// A configuration, and where each of its values came from.
struct LoadedConfiguration {
    /// The configuration in force.
    var configuration: Configuration
    /// The file it was read from; nil without one.
    var file: String?
    /// Where the settings came from that are no defaults, by their keys.
    var sources: [String: ConfigurationOrigin]
    /// The volumes with the origins of their values.
    var volumes: [ConfiguredVolume]
}

extension Configuration {
    /// Puts the configuration together: flags before environment before file before defaults.
    ///
    /// - Parameters:
    ///   - flags: the global flags.
    ///   - environment: all variables; those that begin with `LARDER_` count, empty ones do not.
    ///   - deployedState: the state directory that is the default where it can be written.
    /// - Throws: `ConfigurationError` with everything that is wrong. The caller exits with 78.
    static func load(
        flags: ConfigurationFlags, environment: [String: String],
        deployedState: String = Configuration.deployedStateDirectory
    ) throws(ConfigurationError) -> Configuration {
        try loadWithSources(flags: flags, environment: environment, deployedState: deployedState)
            .configuration
    }

    /// The same, with where each value came from.
    ///
    /// - Throws: `ConfigurationError` with everything that is wrong.
    static func loadWithSources(
        flags: ConfigurationFlags, environment: [String: String],
        deployedState: String = Configuration.deployedStateDirectory
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let problems = ConfigurationProblems()
        let overrides = Overrides(flags: flags, environment: environment)
        var configuration = Configuration(stateDirectory: "", volumes: [], sockets: [:])
        configuration.warnings = overrides.warnings

        var volumes = VolumeSet(
            all: [.deployed(.buildCache), .deployed(.imageStore)], problems: problems)
        let isConfigured = ["config", "build_cache", "image_root"].contains { overrides.value($0) != nil }
        if !isConfigured, let found = FoundCaches(environment: environment, deployed: volumes.all) {
            if found.volumes.isEmpty {
                configuration.searched = found.searched
            } else {
                volumes.all = found.volumes
                configuration.notes.append(found.sentence)
            }
        }
        if let file = overrides.value("config") {
            let document = try ConfigurationDocument(contentsOf: file.text).parse()
            if let configured = configuration.take(document, problems) { volumes.all = configured }
        }
        for setting in ConfigurationSetting.all {
            guard let (text, origin) = overrides.value(setting.key) else { continue }
            if let refusal = setting.apply(text, &configuration) { problems.add(origin, "", refusal) }
            problems.note(setting.key, from: origin)
        }
        if let (path, origin) = overrides.value("build_cache") {
            volumes.move(.buildCache, to: path, origin: origin)
        }
        if let (path, origin) = overrides.value("image_root") {
            volumes.move(.imageStore, to: path, origin: origin)
        }
        if let (url, origin) = overrides.value("socket") { volumes.connect(to: url, origin: origin) }
        volumes.check()
        if configuration.stateDirectory.isEmpty {
            configuration.stateDirectory = defaultState(deployedState, environment, problems)
        }
        try problems.throwIfAny()
        configuration.adopt(volumes.all)
        return LoadedConfiguration(
            configuration: configuration, file: overrides.value("config")?.text, sources: problems.sources,
            volumes: volumes.all)
    }

    private mutating func adopt(_ configured: [ConfiguredVolume]) {
        volumes = configured.map(\.volume)
        for each in configured { sockets[each.volume.name] = each.socket }
        warnings += Self.limitsBeyondCapacity(volumes)
        for place in volumes.indices {
            let others = volumes.filter { $0.name != volumes[place].name }
            volumes[place].neighbours = Dictionary(
                others.map { ($0.name, $0.path) }, uniquingKeysWith: { first, _ in first })
        }
        let places = DirectoryPlace.of([stateDirectory] + volumes.map(\.path))
        func holdsState(_ volume: Volume) -> Bool {
            if VolumeSet.contains(volume.path, stateDirectory) { return true }
            guard let state = places[stateDirectory], let place = places[volume.path] else { return false }
            return [.same, .within].contains(state.relation(to: place))
        }
        for volume in volumes where holdsState(volume) {
            warnings.append(
                "the state directory \(quotable(stateDirectory)) lies on volume `\(volume.name)`: when that is "
                    + "full, Larder cannot record anything; give the state a volume of its own")
        }
    }

    /// What is said of limits that their file systems cannot hold, each or together, where the volumes are mounted here.
    ///
    /// All are looked at at once, and for a second: a file system that hangs must not hold up what concerns another
    /// volume.
    private static func limitsBeyondCapacity(_ volumes: [Volume]) -> [String] {
        let looks = volumes.filter { $0.limit != nil || !$0.poolQuotas.isEmpty }.map {
            ($0, CapacityLook($0))
        }
        let deadline = DispatchTime.now() + 1
        let seen = looks.compactMap { volume, look in
            look.result(until: deadline).map { (volume: volume, capacity: $0.capacity, facts: $0.facts) }
        }
        return seen.flatMap { $0.volume.limitsBeyond($0.capacity) }
            + SharedDisk.all(seen.filter { $0.volume.limit != nil }).compactMap(\.sentence).map {
                "\($0): \(SharedDisk.hint)"
            }
    }

    private static func defaultState(
        _ deployed: String, _ environment: [String: String], _ problems: ConfigurationProblems
    ) -> String {
        if canBeWritten(deployed) { return deployed }
        // Relative values are to be ignored (XDG Base Directory Specification 0.8).
        let format = ValueFormat<String>.path
        if let path = environment["XDG_STATE_HOME"].flatMap(format.read) { return path + "/larder" }
        if let home = environment["HOME"].flatMap(format.read) { return home + "/.local/state/larder" }
        problems.add(
            .wholeFile("state"), "",
            "\(deployed) cannot be written, and neither XDG_STATE_HOME nor HOME is set; "
                + "accepted: a directory by --state, LARDER_STATE or the key `state`")
        return ""
    }

    /// Whether a directory can be written, or made because the one that shall hold it can be.
    private static func canBeWritten(_ directory: String) -> Bool {
        if access(directory, W_OK | X_OK) == 0 { return true }
        guard errno == ENOENT else { return false }
        let parent = directory.split(separator: "/").dropLast().joined(separator: "/")
        return access("/" + parent, W_OK | X_OK) == 0
    }
}

/// A look at a volume's file system, on a thread that may never come back.
private final class CapacityLook: Sendable {
    private let seen = Mutex<(capacity: Capacity, facts: FileSystemFacts)?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    init(_ volume: Volume) {
        DispatchQueue.global(qos: .userInitiated).async { [self] in
            if let root = try? OpenDirectory.open(root: volume.path),
                let capacity = Capacity(descriptor: root.descriptor),
                let facts = try? FileSystemFacts(of: root)
            {
                seen.withLock { $0 = (capacity, facts) }
            }
            ended.signal()
        }
    }

    /// What there was to see; nil where the look has not ended by then.
    func result(until deadline: DispatchTime) -> (capacity: Capacity, facts: FileSystemFacts)? {
        ended.wait(timeout: deadline) == .success ? seen.withLock { $0 } : nil
    }
}
