import CacheModel
import CacheServices
import Glibc

/// The caches of a person's own, for a first look on a laptop: where nothing is configured and the volumes of the
/// deployment are not there.
///
/// Maven's local repository is below `~/.m2`, Gradle's home is `~/.gradle`, and rootless Podman keeps images in
/// `$XDG_DATA_HOME/containers/storage` (containers-storage.conf(5)). They are looked at and never changed.
struct FoundCaches {
    /// The caches that are there.
    let volumes: [ConfiguredVolume]

    /// Looks for them; nil where a volume of the deployment is there, and where none of them is.
    ///
    /// - Parameter deployed: the volumes of the deployment.
    init?(environment: [String: String], deployed: [ConfiguredVolume]) {
        func isThere(_ path: String) -> Bool { access(path, R_OK | X_OK) == 0 }
        func directory(_ variable: String, else other: String?) -> String? {
            environment[variable].flatMap { ValueFormat<String>.path.read($0) } ?? other
        }
        guard !deployed.contains(where: { isThere($0.volume.path) }),
            let home = directory("HOME", else: nil), home != "/"
        else { return nil }
        var found: [ConfiguredVolume] = []
        func add(_ name: String, _ kind: Volume.Kind, _ path: String, socket: String? = nil) {
            guard isThere(path) else { return }
            var volume = Volume(name: name, kind: kind, path: path)
            volume.isReadOnly = true
            found.append(ConfiguredVolume(volume: volume, socket: socket, key: ""))
        }
        if isThere("\(home)/.m2/repository") { add("maven", .buildCache, "\(home)/.m2") }
        add("gradle", .buildCache, directory("GRADLE_USER_HOME", else: nil) ?? "\(home)/.gradle")
        let data = directory("XDG_DATA_HOME", else: nil) ?? "\(home)/.local/share"
        let runtime = directory("XDG_RUNTIME_DIR", else: nil) ?? "/run/user/\(getuid())"
        add(
            "images", .imageStore, "\(data)/containers/storage",
            socket: ValueFormat<String>.socket.read("unix://\(runtime)/podman/podman.sock"))
        guard !found.isEmpty else { return nil }
        volumes = found
    }

    /// What was found, for whoever did not ask for it.
    var sentence: String {
        let places = volumes.map { "\($0.volume.name) (\(quotable($0.volume.path)))" }
        return
            "nothing is configured, so Larder looks at your own caches: \(places.joined(separator: ", ")); "
            + "it changes nothing in them"
    }
}
