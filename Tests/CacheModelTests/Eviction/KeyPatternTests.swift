import CacheModel
import Testing

struct KeyPatternTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("*", "", true), ("*", "a:b/c", true), ("?", "", false),
        ("?", "a", true), ("?", "ab", false), ("a*c", "abc", true), ("a*c", "ac", true),
        ("a*c", "acb", false),
        ("*:1.?", "org:lib:1.2", true), ("*:1.?", "org:lib:1.22", false),
        ("org.*:lib:*", "org.x:lib:1", true),
        ("lib", "mylib", false), ("lib", "library", false), ("**a**b**", "xaxbx", true),
        ("*a*b*", "ba", false),
        ("A", "a", false), ("*.example/*", "r.example/app/x:1", true), ("[a]", "a", false),
        ("[a]", "[a]", true),
        ("?", "é", true), ("??", "é", false), ("*??", "あ", false), ("*?", "あ", true), ("a?c", "a語c", true),
        ("*語*", "日本語版", true), ("\\*", "\\anything", true), ("*ab", "aab", true), ("*aab", "aaab", true),
    ])
    func matches(_ test: (pattern: String, key: String, expected: Bool)) {
        #expect(KeyPattern(test.pattern).matches(test.key) == test.expected)
    }

    @Test(.timeLimit(.minutes(1)))
    func manyStarsDoNotExplode() {
        let pattern = KeyPattern(String(repeating: "a*", count: 2000) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 4000)))
    }
}
