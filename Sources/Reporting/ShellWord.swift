/// Words as a POSIX shell takes them.
package enum ShellWord {
    /// The word as it is typed: in quotes where it needs them.
    package static func typed(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-_./:=@%+,".utf8.contains(byte)
        }
        return isPlain && !word.isEmpty ? word : quoted(word)
    }

    /// The word in quotes.
    package static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: "'\\''") + "'" }
}
