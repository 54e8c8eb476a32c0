import CacheModel
import CacheServices
import Glibc

/// The caches of a person's own, for a first look on a laptop: where nothing is configured and the volumes of the
/// deployment are not there.
///
/// Maven's local repository is below `~/.m2`, Gradle's home is `~/.gradle`, and rootless Podman keeps images in
/// `$XDG_DATA_HOME/containers/storage` (containers-storage.conf(5)). They are looked at and never changed.
struct FoundCaches {
    /// The caches that are there; empty where none is.
    let volumes: [ConfiguredVolume]
    /// Where they were looked for.
    let searched: [String]

    /// Looks for them; nil where a volume of the deployment is there, or there is no home to look in.
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
        var places: [String] = []
        func add(
            _ name: String, _ kind: Volume.Kind, _ path: String, holding directory: String = "",
            socket: String? = nil
        ) {
            places.append(path + directory)
            guard isThere(path + directory) else { return }
            var volume = Volume(name: name, kind: kind, path: path)
            volume.isReadOnly = true
            found.append(ConfiguredVolume(volume: volume, socket: socket, key: ""))
        }
        add("maven", .buildCache, "\(home)/.m2", holding: "/repository")
        add("gradle", .buildCache, directory("GRADLE_USER_HOME", else: nil) ?? "\(home)/.gradle")
        let data = directory("XDG_DATA_HOME", else: nil) ?? "\(home)/.local/share"
        let runtime = directory("XDG_RUNTIME_DIR", else: nil) ?? "/run/user/\(getuid())"
        add(
            "images", .imageStore, "\(data)/containers/storage",
            socket: ValueFormat<String>.socket.read("unix://\(runtime)/podman/podman.sock"))
        volumes = found
        searched = places
    }

    /// What was found, for whoever did not ask for it.
    var sentence: String {
        let places = volumes.map { "\($0.volume.name) (\(quotable($0.volume.path)))" }
        return
            "nothing is configured, so Larder looks at your own caches: \(places.joined(separator: ", ")); "
            + "it changes nothing in them"
    }
}
