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
    static func groupID(_ pom: [UInt8]) -> [UInt8]? {
        var path: [[UInt8]] = []
        var inherited: [UInt8]?
        var rest = pom[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[(open + 1)...]
            if rest.starts(with: "!--".utf8) {
                rest = after("-->", in: rest)
                continue
            }
            if rest.starts(with: "![CDATA[".utf8) {
                rest = after("]]>", in: rest)
                continue
            }
            guard let close = rest.firstIndex(of: UInt8(ascii: ">")) else { return inherited }
            let tag = rest[..<close]
            rest = rest[(close + 1)...]
            switch tag.first {
            case UInt8(ascii: "?"), UInt8(ascii: "!"), nil: continue
            case UInt8(ascii: "/"): if !path.isEmpty { path.removeLast() }
            default:
                guard tag.last != UInt8(ascii: "/"), path.count < deepest else { continue }
                path.append(Array(tag.prefix { $0 > 32 }))
                let names = path.map { String(decoding: $0, as: UTF8.self) }
                if names == ["project", "groupId"] { return text(of: rest) }
                if names == ["project", "parent", "groupId"] { inherited = text(of: rest) }
            }
        }
        return inherited
    }

    private static func after(_ end: String, in rest: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = Array(end.utf8)
        var rest = rest
        while !rest.isEmpty {
            if rest.starts(with: end) { return rest.dropFirst(end.count) }
            rest = rest.dropFirst()
        }
        return rest
    }

    private static func text(of rest: ArraySlice<UInt8>) -> [UInt8] {
        rest.prefix { $0 != UInt8(ascii: "<") }.filter { $0 > 32 }
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
