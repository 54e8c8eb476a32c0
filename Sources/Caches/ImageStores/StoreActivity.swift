import CLinux
import CacheModel
import FileAccess
import Glibc

/// Who is at work on a store, as far as one machine can tell: nothing here takes a lock or asks a Podman.
///
/// Podman itself knows only its own containers: on a shared store it calls the others' `storage`, and removes
/// them on request even while their processes run (seen with Podman 4.3.1).
package struct StoreActivity: Sendable {
    /// Whether a container's process lives.
    package enum Life: Sendable, Hashable {
        /// Its monitor runs.
        case alive
        /// It was never started, or its monitor is gone.
        case ended
        /// It cannot be told.
        case unknown(String)
    }

    /// What was written more recently may belong to a job that is at work.
    package static let quietTime = Span.hours(1)
    /// The names of the images by which Larder adopts orphans; one that is there was left by a killed run.
    package static let adoptionPrefix = "localhost/larder/orphan:"

    private let root: OpenDirectory
    private let driver: any StoreDriver

    /// Looks at the store of that driver in that directory.
    package init(root: OpenDirectory, driver: any StoreDriver = VfsDriver()) {
        self.root = root
        self.driver = driver
    }

    /// Why the store counts as in use; nil where nobody seems to use it.
    package func use(of store: ImageStore, now: Timestamp) -> String? {
        if let lock = heldLock { return "a Podman is writing to the store (\(lock) is held)" }
        for container in store.containers {
            let id = escaped(container.id.utf8.prefix(12))
            switch life(of: container) {
            case .alive: return "container \(id) is running"
            case .unknown(let reason):
                return "whether container \(id) is running cannot be told: \(reason)"
            case .ended: break
            }
        }
        let adopted = Set(store.images.filter(Self.isAdoption).map(\.id))
        let times =
            store.layers.map(\.created) + store.containers.map(\.created)
            + store.pulled.filter { !adopted.contains($0.key) }.map(\.value)
        guard let last = times.max(), last > now - Self.quietTime else { return nil }
        return "it was written to at \(last), and must have been quiet for \(Self.quietTime)"
    }

    /// Whether an image was made by Larder to adopt orphans.
    package static func isAdoption(_ image: ImageStore.Image) -> Bool {
        !image.names.isEmpty && image.names.allSatisfy { $0.hasPrefix(adoptionPrefix) }
    }

    /// Whether a container's process lives.
    ///
    /// Its monitor keeps the pipe `ctl` in the container's directory open for reading (conmon v2.1.6,
    /// src/ctrl.c, setup_terminal_control_fifo), and opening a pipe that nobody reads fails with ENXIO: that
    /// shows across the namespaces of all pods on one machine, and only there.
    package func life(of container: StoreContainer) -> Life {
        if let network = NetworkFileSystem.name(of: root) {
            return .unknown("the store is on \(network), and its job may run on another machine")
        }
        guard let path = driver.path("containers", container.id) else {
            return .unknown("its ID is no name")
        }
        let own: OpenDirectory
        do throws(SystemError) { own = try root.open(path).open("userdata".utf8.cString) } catch {
            return error.code == ENOENT ? .ended : .unknown(error.message)
        }
        // A handle first: what is opened for writing is then the pipe that was looked at, and no file that a job
        // swaps in.
        let handle = openat(own.descriptor, "ctl", larder_o_path | O_NOFOLLOW | O_CLOEXEC)
        guard handle >= 0 else {
            return errno == ENOENT ? .ended : .unknown(SystemError(code: errno).message)
        }
        defer { close(handle) }
        var found = larder_stat()
        guard larder_statx(handle, "", &found) == 0, found.mode & UInt32(S_IFMT) == UInt32(S_IFIFO) else {
            return .unknown("its ctl is no pipe")
        }
        let pipe = Glibc.open("/proc/self/fd/\(handle)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        if pipe >= 0 {
            close(pipe)
            return .alive
        }
        return errno == ENXIO ? .ended : .unknown(SystemError(code: errno).message)
    }

    /// Whether a container is Buildah's, which keeps no monitor: it lives as long as somebody may build on.
    ///
    /// Its state is in the same directory (buildah v1.28.0, buildah.go, stateFile).
    package func isOfABuild(_ container: StoreContainer) -> Bool {
        guard let path = driver.path("containers", container.id),
            let own = try? root.open(path).open("userdata".utf8.cString)
        else { return false }
        return (try? own.stat("buildah.json".utf8.cString)) != nil
    }

    /// The first of Podman's lock files that is held for writing; nil where none is.
    ///
    /// Podman takes POSIX locks on whole files (containers/storage v1.43.0, internal/rawfilelock), which
    /// `F_OFD_GETLK` sees without taking any.
    package var heldLock: String? {
        let files =
            [("", "storage.lock")]
            + ["layers", "images", "containers"].map { (driver.recordFolder($0), "\($0).lock") }
        return files.first { folder, name in
            guard let directory = folder.isEmpty ? root : try? root.open(folder.utf8.cString) else {
                return false
            }
            do throws(SystemError) {
                return try directory.isLocked(name.utf8.cString, .exclusive)
            } catch {
                return error.code != ENOENT
            }
        }?.1
    }
}
