import CacheModel
import Caches

extension Doctor {
    /// Podman's configuration files, where this container has them and they name the store.
    func files() -> [Diagnosis.Finding] {
        let files = facts.files
        let stores = facts.volumes.filter { $0.volume.kind == .imageStore && $0.mount != nil }.map(
            \.volume.path)
        guard let file = files.storageFile else { return [] }
        let isRootless = facts.process.uid != 0
        let path =
            (isRootless ? files.storage["rootless_storage_path"] : nil) ?? files.storage["graphroot"] ?? ""
        guard stores.contains(path) else { return [] }
        var found: [Diagnosis.Finding] = []
        if let driver = files.storage["driver"], StoreDrivers.named(driver) == nil {
            found.append(
                .init(
                    .podman, "conf-driver", .problem, "\(file): driver = \"\(driver)\"",
                    why: "Larder reads stores of the drivers vfs and overlay.",
                    cure: "driver = \"overlay\", or \"vfs\""))
        }
        if isRootless, files.storage["rootless_storage_path"] == nil {
            found.append(
                .init(
                    .podman, "conf-path", .problem, "\(file) names the store by graphroot",
                    why: "A rootless Podman does not read that key, and uses a store of its own.",
                    cure: "rootless_storage_path = \"\(path)\""))
        }
        if files.storage["transient_store"] == "true" {
            found.append(
                .init(
                    .podman, "conf-transient", .warning, "\(file): transient_store = true",
                    why: "Containers leave no record on the volume: images in use look unused to Larder.",
                    cure: "leave it out, or one store for each job slot"))
        }
        // A relative path or one in the store is as good as none.
        let open = ["static_dir", "tmp_dir", "volume_path"].filter { key in
            guard let place = files.engine[key], place.hasPrefix("/") else { return true }
            return place == path || place.hasPrefix(path + "/")
        }
        guard !open.isEmpty else {
            return found + [
                .init(
                    .podman, "conf-private", ok: "\(files.engineFile ?? ""): Podman's own records are private"
                )
            ]
        }
        return found + [
            .init(
                .podman, "conf-private", .problem,
                "\(files.engineFile ?? "no containers.conf"): \(open.joined(separator: ", ")) not private to the pod",
                why: "A Podman that starts with it resets the running containers of all other pods.",
                cure: "[engine] \(open.map { "\($0) = \"/tmp/podman/…\"" }.joined(separator: ", "))")
        ]
    }

    /// What a Podman with one user ID needs beside it.
    func singleIDNeeds(_ userIDs: Int64) -> [Diagnosis.Finding] {
        guard userIDs < 65536, facts.files.storageFile != nil,
            facts.files.storage["ignore_chown_errors"] != "true"
        else { return [] }
        return [
            .init(
                .podman, "conf-chown", .warning, "\(facts.files.storageFile ?? ""): no ignore_chown_errors",
                why: "With one user ID, images with files of other users cannot be unpacked.",
                cure: "[storage.options.vfs] ignore_chown_errors = \"true\"")
        ]
    }
}
