import CLinux
import CacheModel
import FileAccess
import Foundation

/// The record files of a store, in the order in which they are read.
///
/// Images come first: an image's record is written after its layers and removed before them, so what images
/// name is there unless the store changed meanwhile (containers/storage v1.43.0, `store.go`, DeleteImage).
enum StoreRecordFile: CaseIterable {
    case images, containers, volatileContainers, layers, volatileLayers

    /// What the folder of the file is called, after the driver's name.
    var kind: String {
        switch self {
        case .images: "images"
        case .containers, .volatileContainers: "containers"
        case .layers, .volatileLayers: "layers"
        }
    }

    var name: String {
        switch self {
        case .images: "images.json"
        case .containers: "containers.json"
        case .volatileContainers: "volatile-containers.json"
        case .layers: "layers.json"
        case .volatileLayers: "volatile-layers.json"
        }
    }

    /// Whether Podman may lose the file in a crash without harm: it is written without a sync.
    var isVolatile: Bool { self == .volatileContainers || self == .volatileLayers }
}

/// What tells one version of a file from the next: Podman replaces its files by renames, so a new version has
/// a new inode while the old one is held open.
struct StoreFileVersion: Equatable, Sendable {
    var inode: UInt64
    var modified: Int64
    var size: Int64

    static let absent = StoreFileVersion(larder_stat())

    init(_ status: larder_stat) {
        inode = status.inode
        modified = status.mtime
        size = status.size
    }

    var bytes: [UInt8] {
        [inode, UInt64(bitPattern: modified), UInt64(bitPattern: size)].flatMap { number in
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
    }
}

/// A file descriptor that is closed with its last reference.
final class StoreFileDescriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}

/// One version of one file, held open so that its inode number cannot be given to another one.
struct OpenStoreFile: Sendable {
    var version: StoreFileVersion
    var descriptor: StoreFileDescriptor?

    static let absent = OpenStoreFile(version: .absent, descriptor: nil)
}

/// Access to a store's record files below the descriptor of its root.
///
/// No symbolic link is followed below the root, no open blocks, and nothing but regular files of a plausible
/// owner and size is read.
struct ImageStoreFolder: Sendable {
    /// Files of this size and more are refused: a store of 20,000 layers needs 20 MB.
    static let sizeLimit: Int64 = 32 << 20
    /// Files of more JSON objects are refused: a record has one or two, and decoding takes a kilobyte for each.
    static let mostObjects = 100_000

    let root: String
    let driver: any StoreDriver
    let directory: OpenDirectory
    private let owner: UInt32

    init(root: String, driver: any StoreDriver) throws {
        self.root = root
        self.driver = driver
        do {
            directory = try OpenDirectory.open(root: root)
            owner = try directory.stat().uid
        } catch {
            throw ImageStoreError.root(path: root, reason: error.message)
        }
    }

    /// Whether the root has that name, whatever it is.
    func has(_ name: String) -> Bool { (try? directory.stat(name.utf8.cString)) != nil }

    /// When an image's manifest was last written; nil where it has none.
    func manifestTime(ofImage id: String) -> Timestamp? {
        guard let path = driver.path("images", id),
            let image = try? directory.open(path), let stat = try? image.stat("manifest".utf8.cString)
        else { return nil }
        return Timestamp(nanoseconds: stat.mtime)
    }

    /// What a file in the folder of one record holds; nil where it is not there, no regular file, or larger than
    /// 4 MiB.
    func smallFile(_ name: String, in place: VolumePath?) -> Data? {
        guard let place, let folder = try? directory.open(place),
            let (number, status) = try? folder.openQuietly(name.utf8.cString)
        else { return nil }
        let descriptor = StoreFileDescriptor(number)
        guard status.size <= 4 << 20 else { return nil }
        var data = Data(count: Int(status.size) + 1)
        guard let filled = try? data.withUnsafeMutableBytes({ readFully(descriptor.number, into: $0) }).get()
        else {
            return nil
        }
        return data.prefix(filled)
    }

    func absolutePath(_ file: StoreRecordFile) -> String {
        let path = "\(driver.recordFolder(file.kind))/\(file.name)"
        return root.hasSuffix("/") ? root + path : "\(root)/\(path)"
    }

    /// The version that has the file's name now.
    func version(_ file: StoreRecordFile) throws -> StoreFileVersion {
        do {
            guard let status = try folder(of: file)?.stat(file.name.utf8.cString) else { return .absent }
            return StoreFileVersion(status)
        } catch let error as SystemError {
            if error.code == ENOENT { return .absent }
            throw unreadable(file, error.code)
        }
    }

    /// Opens the version that has the file's name now; an absent file is no error.
    func opened(_ file: StoreRecordFile) throws -> OpenStoreFile {
        guard let folder = try folder(of: file) else { return .absent }
        let (number, status): (Int32, larder_stat)
        do throws(SystemError) {
            (number, status) = try folder.openQuietly(file.name.utf8.cString)
        } catch {
            switch error.code {
            case ENOENT: return .absent
            case ELOOP: throw refused(file, "it is a symbolic link")
            case EINVAL: throw refused(file, "it is no regular file")
            default: throw unreadable(file, error.code)
            }
        }
        let descriptor = StoreFileDescriptor(number)
        guard let folderOwner = try? folder.stat().uid else { throw unreadable(file, ENOENT) }
        guard [owner, folderOwner, geteuid()].contains(status.uid) else {
            throw refused(file, "it belongs to uid \(status.uid), the store to uid \(folderOwner)")
        }
        guard status.size < Self.sizeLimit else {
            throw refused(
                file, "its size is \(ByteCount(status.size)), and \(ByteCount(Self.sizeLimit)) is the limit")
        }
        return OpenStoreFile(version: StoreFileVersion(status), descriptor: descriptor)
    }

    /// Everything in an opened file; empty for an absent one.
    func contents(_ opened: OpenStoreFile, of file: StoreRecordFile) throws -> Data {
        guard let descriptor = opened.descriptor else { return Data() }
        // One byte more than the file had when it was opened: growth shows, and the version check rejects it.
        var data = Data(count: Int(opened.version.size) + 1)
        do throws(SystemError) {
            let filled = try data.withUnsafeMutableBytes { readFully(descriptor.number, into: $0) }.get()
            data = data.prefix(filled)
        } catch { throw unreadable(file, error.code) }
        let objects = data.withUnsafeBytes { bytes in
            guard var at = bytes.baseAddress else { return 0 }
            let end = at + bytes.count
            var count = 0
            // A reader that is slower than the writer never finds the store at rest.
            while at < end, let found = memchr(at, Int32(UInt8(ascii: "{")), end - at) {
                count += 1
                at = UnsafeRawPointer(found) + 1
            }
            return count
        }
        guard objects <= Self.mostObjects else {
            throw refused(file, "it has \(objects) objects, and \(Self.mostObjects) are the limit")
        }
        return data
    }

    private func folder(of file: StoreRecordFile) throws -> OpenDirectory? {
        do {
            return try directory.open(driver.recordFolder(file.kind).utf8.cString)
        } catch {
            switch error.code {
            case ENOENT: return nil
            case ELOOP, ENOTDIR: throw refused(file, "\(driver.recordFolder(file.kind)) is no directory")
            default: throw unreadable(file, error.code)
            }
        }
    }

    private func unreadable(_ file: StoreRecordFile, _ code: Int32) -> ImageStoreError {
        .unreadable(file: absolutePath(file), reason: SystemError(code: code).message)
    }

    private func refused(_ file: StoreRecordFile, _ reason: String) -> ImageStoreError {
        .refused(file: absolutePath(file), reason: reason)
    }
}
