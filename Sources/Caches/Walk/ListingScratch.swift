import CLinux
import FileAccess
import Glibc

/// What is left of a directory after a batch of names.
enum ListingState: Equatable {
    case more
    case end
    case failed(Int32)
}

/// One thread's buffers for listing directories, used again for each.
struct ListingScratch: ~Copyable {
    /// A file of the directory, with its name in the thread's buffer.
    struct File {
        var start: Int32
        var length: Int32
        var stat: larder_stat
    }

    /// So many files are kept at once; a larger directory is taken in batches.
    private static let batch = 4096
    private static let bufferSize = 65_536

    private(set) var files: [File] = []
    /// Whether files of this directory were summed and forgotten: it was too large to look at as a whole.
    private(set) var dropped = false
    private var names: [UInt8] = []
    /// A path below a directory, ended by a NUL.
    private(set) var path: [CChar] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferSize, alignment: 8)

    deinit { buffer.deallocate() }

    mutating func beginDirectory() {
        dropFiles()
        dropped = false
    }

    mutating func dropFiles() {
        dropped = true
        files.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
    }

    /// Reads on in the directory until it ends or a batch is full: its files come here, with their stat, and
    /// its directories into `visited`.
    mutating func readBatch(of directory: OpenDirectory, into visited: inout VisitedDirectory) -> ListingState
    {
        while files.count < Self.batch {
            let count = larder_getdents(directory.descriptor, buffer.baseAddress, buffer.count)
            if count == 0 { return .end }
            if count < 0 { return .failed(Int32(-count)) }
            takeRecords(count, directory, &visited)
        }
        return .more
    }

    private mutating func takeRecords(
        _ count: Int, _ directory: OpenDirectory, _ visited: inout VisitedDirectory
    ) {
        let nameOffset = 19  // of d_name in linux_dirent64: after inode, offset, length and type
        guard let base = buffer.baseAddress else { return }
        var at = 0
        while at + nameOffset < count {
            let length = Int(base.loadUnaligned(fromByteOffset: at + 16, as: UInt16.self))
            let type = base.load(fromByteOffset: at + 18, as: UInt8.self)
            let name = UnsafePointer((base + at + nameOffset).assumingMemoryBound(to: CChar.self))
            at += length
            if name[0] == 46, name[1] == 0 || (name[1] == 46 && name[2] == 0) { continue }
            if type == UInt8(DT_DIR) {
                takeDirectory(name, directory, &visited)
            } else {
                takeFile(name, directory, &visited)
            }
        }
    }

    private mutating func takeFile(
        _ name: UnsafePointer<CChar>, _ directory: OpenDirectory, _ visited: inout VisitedDirectory
    ) {
        var stat = larder_stat()
        let result = larder_statx(directory.descriptor, name, &stat)
        let bytes = UnsafeBufferPointer(start: name, count: strlen(name))
        guard result == 0 else {
            let error = SystemError(code: -result)
            if !error.isVanished {
                visited.unreadableFiles.append((bytes.map(UInt8.init(bitPattern:)), error))
            }
            return
        }
        if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) {
            // A file system that does not tell types in its listings.
            takeDirectory(name, directory, &visited)
            return
        }
        files.append(File(start: Int32(names.count), length: Int32(bytes.count), stat: stat))
        bytes.withMemoryRebound(to: UInt8.self) { names.append(contentsOf: $0) }
    }

    private func takeDirectory(
        _ name: UnsafePointer<CChar>, _ directory: OpenDirectory, _ visited: inout VisitedDirectory
    ) {
        let name = Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
        visited.children.append(WalkTask(parent: directory, parentIndex: -1, previous: -1, name: name))
    }

    /// Begins a path with a name, and says how long that is.
    mutating func beginPath(_ name: ArraySlice<UInt8>) -> Int {
        path.removeAll(keepingCapacity: true)
        name.withUnsafeBytes { path.append(contentsOf: $0.bindMemory(to: CChar.self)) }
        path.append(0)
        return name.count
    }

    /// Puts a NUL-ended name behind the first so many bytes of the path.
    mutating func extendPath(from length: Int, by name: UnsafePointer<CChar>) {
        path.removeSubrange(length...)
        path.append(CChar(bitPattern: UInt8(ascii: "/")))
        path.append(contentsOf: UnsafeBufferPointer(start: name, count: strlen(name) + 1))
    }

    /// The file of that name.
    func file(named name: [UInt8]) -> File? {
        files.first { file in
            Int(file.length) == name.count && withName(of: file) { $0.elementsEqual(name) }
        }
    }

    /// Whether one of the files has that name with something behind it, set off by a dot or a hyphen.
    func holdsName(after prefix: [UInt8]) -> Bool {
        files.contains { file in
            withName(of: file) { name in
                name.count > prefix.count && name.starts(with: prefix) && !FileNames.isChecksum(name)
                    && (name[prefix.count] == UInt8(ascii: ".") || name[prefix.count] == UInt8(ascii: "-"))
            }
        }
    }

    /// Gives the raw name of a file.
    func withName<R>(of file: File, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        names.withUnsafeBufferPointer {
            body(UnsafeBufferPointer(rebasing: $0[Int(file.start)..<Int(file.start + file.length)]))
        }
    }
}
