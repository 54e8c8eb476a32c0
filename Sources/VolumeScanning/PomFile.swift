import CLinux
import DirectoryAccess
import Foundation
import FoundationXML
import Glibc

/// The group that a pom declares, or inherits from its parent element.
///
/// POM reference, "Maven Coordinates": `project/groupId`, else `project/parent/groupId`.
final class PomFile: NSObject, XMLParserDelegate {
    private var stack: [String] = []
    private var text = ""
    private var own: String?
    private var inherited: String?

    /// The declared group; nil where the bytes are no pom.
    static func groupID(_ pom: [UInt8]) -> [UInt8]? {
        let reader = PomFile()
        let parser = XMLParser(data: Data(pom))
        parser.shouldResolveExternalEntities = false
        parser.delegate = reader
        guard parser.parse(), let group = reader.own ?? reader.inherited else { return nil }
        return Array(group.trimmingCharacters(in: .whitespacesAndNewlines).utf8)
    }

    /// Reads the pom at a path below an open directory, without moving its access time.
    ///
    /// Nil where there is none, or one over 1 MiB.
    static func groupID(below root: OpenDirectory, path: [UInt8]) -> [UInt8]? {
        let descriptor = larder_open_beneath(
            root.descriptor, path.map(CChar.init(bitPattern:)) + [0], O_RDONLY | O_NONBLOCK | larder_o_noatime
        )
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var stat = larder_stat()
        guard larder_statx(descriptor, "", &stat) == 0, stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG),
            stat.size <= 1 << 20
        else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(stat.size)) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        return groupID(bytes)
    }

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        stack.append(element)
        text = ""
        if stack.count > 64 { parser.abortParsing() }
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) { text += characters }

    func parser(
        _ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?
    ) {
        if stack == ["project", "groupId"] { own = text }
        if stack == ["project", "parent", "groupId"] { inherited = text }
        stack.removeLast()
    }
}
