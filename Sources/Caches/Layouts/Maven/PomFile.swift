import CLinux
import CacheModel
import FileAccess
import Glibc

/// The group that a pom declares, or inherits from its parent element.
///
/// POM reference, "Maven Coordinates": `project/groupId`, else `project/parent/groupId`. Read by a small scanner
/// of tags: Foundation's XML parser on Linux ends the process on some files that are no XML, and a job may put
/// anything in a pom's place.
enum PomFile {
    private static let deepest = 64

    /// The declared group; nil where the bytes declare none.
    ///
    /// One pass, whatever the bytes are: of open elements only those count that lead to a group.
    static func groupID(_ pom: [UInt8]) -> [UInt8]? {
        pom.withUnsafeBytes { pom in
            var scan = GroupScan(pom)
            return scan.groupID(deepest: deepest)
        }
    }

    /// Reads the pom at a path below an open directory, without moving its access time.
    ///
    /// Nil where there is none, or one over 1 MiB.
    static func groupID(below root: OpenDirectory, path: [UInt8]) -> [UInt8]? {
        guard let path = VolumePath(bytes: path), let directory = try? root.open(path.parent),
            let (descriptor, stat) = try? directory.openFile(path.name.cString, O_RDONLY | larder_o_noatime)
        else { return nil }
        defer { close(descriptor) }
        guard stat.size <= 1 << 20 else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(stat.size)) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        return groupID(bytes)
    }
}

/// One pass over the tags of a pom.
private struct GroupScan {
    private let pom: UnsafeRawBufferPointer
    private var at = 0

    init(_ pom: UnsafeRawBufferPointer) { self.pom = pom }

    mutating func groupID(deepest: Int) -> [UInt8]? {
        var depth = 0
        // How many of the open elements, from the outermost, are `project`, `parent`; whether both are.
        var isProject = false
        var isParent = false
        var inherited: [UInt8]?
        while let open = place(of: UInt8(ascii: "<")) {
            at = open + 1
            if isNext("!--") {
                pass("-->")
                continue
            }
            if isNext("![CDATA[") {
                pass("]]>")
                continue
            }
            guard let close = place(of: UInt8(ascii: ">")) else { return inherited }
            let tag = pom[at..<close]
            at = close + 1
            switch tag.first {
            case UInt8(ascii: "?"), UInt8(ascii: "!"), nil: continue
            case UInt8(ascii: "/"): depth = max(0, depth - 1)
            default:
                guard tag.last != UInt8(ascii: "/"), depth < deepest else { continue }
                depth += 1
                // No name that matters is longer.
                let name = tag.prefix(8).prefix { $0 > 32 }
                let isGroup = name.elementsEqual("groupId".utf8)
                if depth == 1 { isProject = name.elementsEqual("project".utf8) }
                if depth == 2 { isParent = name.elementsEqual("parent".utf8) }
                if isGroup, isProject, depth == 2 { return text() }
                if isGroup, isProject, isParent, depth == 3 { inherited = text() }
            }
        }
        return inherited
    }

    private func place(of byte: UInt8) -> Int? {
        guard at < pom.count, let start = pom.baseAddress,
            let found = memchr(start + at, Int32(byte), pom.count - at)
        else { return nil }
        return start.distance(to: UnsafeRawPointer(found))
    }

    private func isNext(_ text: StaticString) -> Bool {
        guard let start = pom.baseAddress, at + text.utf8CodeUnitCount <= pom.count else { return false }
        return memcmp(start + at, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// Goes on behind the next such text; to the end where there is none.
    private mutating func pass(_ end: StaticString) {
        while let next = place(of: end.utf8Start[0]) {
            at = next
            if isNext(end) {
                at += end.utf8CodeUnitCount
                return
            }
            at += 1
        }
        at = pom.count
    }

    /// The text up to the next tag, without its spaces.
    private func text() -> [UInt8] {
        let end = place(of: UInt8(ascii: "<")) ?? pom.count
        return pom[at..<end].filter { $0 > 32 }
    }
}
