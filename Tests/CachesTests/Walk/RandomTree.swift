import Foundation
import TestSupport

/// A directory tree that grows and changes at random, from a seed.
final class RandomTree {
    private var generator: SeededGenerator
    private let directory: TemporaryDirectory
    private var directories = [""]
    private var files: [String] = []

    init(seed: UInt64, in directory: TemporaryDirectory) {
        generator = SeededGenerator(seed: seed)
        self.directory = directory
    }

    private func pick(_ all: [String]) -> String { all.randomElement(using: &generator) ?? "" }

    private func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }

    func grow(files count: Int) throws {
        for _ in 0..<count { try add() }
    }

    private func add() throws {
        if number(0..<4) == 0, directories.count < 80 {
            let name = pick(directories) + "d\(number(0..<1000))/"
            directories.append(name)
            try directory.shell("mkdir -p '\(name)'")
        }
        let suffix = pick([".jar", ".pom", ".sha1", ".tmp", "", ".md5"])
        let name = pick(directories) + "f\(number(0..<100_000))\(suffix)"
        switch number(0..<12) {
        case 0 where !files.isEmpty: try directory.shell("ln -n '\(pick(files))' '\(name)' || true")
        case 1: try directory.shell("ln -sn /etc '\(name)' || true")
        case 2: try directory.shell("truncate -s 1M '\(name)'")
        default:
            try directory.write(name, bytes: number(0..<20_000))
            files.append(name)
        }
    }

    /// Adds, removes, renames, rewrites in place, and reads.
    func change(times: Int) throws {
        for _ in 0..<times {
            switch number(0..<6) {
            case 0: try add()
            case 1: try directory.shell("rm -f '\(pick(files))'")
            case 2:
                try directory.shell(
                    "mv -n '\(pick(files))' '\(pick(directories))moved\(number(0..<10_000)).jar' || true")
            case 3:
                let file = pick(files.filter { !$0.hasSuffix(".sha1") && !$0.hasSuffix(".md5") })
                try directory.shell("[ ! -f '\(file)' ] || head -c \(number(0..<9000)) /dev/zero > '\(file)'")
            case 4 where directories.count > 3:
                let doomed = directories.remove(at: number(1..<directories.count))
                directories.removeAll { $0.hasPrefix(doomed) }
                files.removeAll { $0.hasPrefix(doomed) }
                try directory.shell("rm -rf '\(doomed)'")
            default:
                try directory.shell("[ ! -f '\(pick(files))' ] || cat '\(pick(files))' > /dev/null || true")
            }
        }
    }
}
