import TestSupport
import Testing

@testable import Caches

/// The group of a pom, and whatever a job may put in a pom's place.
@Suite struct PomFileTests {
    @Test(arguments: [
        ("<project><groupId>org.a</groupId></project>", "org.a"),
        (
            "<?xml version='1.0'?><!-- <groupId>no</groupId> --><project x='y'>\n <groupId> org.a\n</groupId>",
            "org.a"
        ),
        ("<project><parent><groupId>org.p</groupId></parent><artifactId>a</artifactId></project>", "org.p"),
        ("<project><parent><groupId>org.p</groupId></parent><groupId>org.o</groupId></project>", "org.o"),
        (
            "<project><dependencies><dependency><groupId>no</groupId></dependency></dependencies></project>",
            nil
        ),
        ("<project><x/><groupId>org.a</groupId></project>", "org.a"),
        ("<project><![CDATA[<groupId>no</groupId>]]></project>", nil), ("", nil), ("<", nil),
        ("</a></a>", nil),
    ])
    func readsTheGroup(pom: String, group: String?) {
        #expect(PomFile.groupID(Array(pom.utf8)) == group.map { Array($0.utf8) })
    }

    @Test func anyBytesAreSurvived() {
        var generator = SeededGenerator(seed: 3)
        let pieces = ["<", ">", "</", "<!--", "-->", "<project>", "<groupId>", "]]>", "<![CDATA[", "\u{0}"]
        for _ in 0..<5000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<40, using: &generator) {
                if Bool.random(using: &generator) {
                    bytes.append(UInt8.random(in: 0...255, using: &generator))
                } else {
                    bytes += Array((pieces.randomElement(using: &generator) ?? "").utf8)
                }
            }
            _ = PomFile.groupID(bytes)
        }
    }
}
