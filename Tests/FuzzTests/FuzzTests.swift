import Foundation
import TestSupport
import Testing

/// The files that inputs are made from: real ones, small, by parser.
enum Corpus {
    static let directory = Testbed.packageRoot + "/Tests/Fuzz/corpus"

    /// The files of a parser, in the order of their names.
    static func files(of parser: String) throws -> [[UInt8]] {
        try FileManager.default.contentsOfDirectory(atPath: "\(directory)/\(parser)").sorted().map { name in
            Array(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(parser)/\(name)")))
        }
    }
}

/// Everything that reads what others wrote, on mutations of real files.
///
/// `LARDER_LONG` makes a longer run of it, `LARDER_FUZZ_INPUTS` and `LARDER_FUZZ_SEED` another one. The input
/// at hand lies in a file that is named after the parser, so that it is there after a crash.
@Suite(.serialized) struct FuzzTests {
    private static let settings = ProcessInfo.processInfo.environment
    private static let inputs =
        settings["LARDER_FUZZ_INPUTS"].flatMap { Double($0) }
        ?? (settings["LARDER_LONG"] == nil ? 400 : 4000)
    private static let seed = settings["LARDER_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
    /// So long no parser may take for one input of at most 1 MiB, on the slowest machine.
    private static let tooLong = Duration.seconds(30)

    @Test func nothingThatOthersWriteDoesHarm() async throws {
        var total = 0
        var violations = 0
        for parser in Parser.all {
            let result = try await run(parser)
            total += result.inputs
            violations += result.wrong.count
            for line in result.wrong.prefix(10) { Issue.record("\(parser.name): \(line)") }
        }
        print("fuzz: \(total) inputs, \(violations) violations")
    }

    private func run(_ parser: Parser) async throws -> (inputs: Int, wrong: [String]) {
        let scratch = try TemporaryDirectory()
        let place =
            NSTemporaryDirectory()
            + "/larder-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(parser.name)"
        let current = open(place, O_CREAT | O_RDWR | O_TRUNC, 0o600)
        defer {
            close(current)
            unlink(place)
        }
        var mutator = Mutator(corpus: try Corpus.files(of: parser.name), seed: Self.seed)
        let count = max(1, Int(Self.inputs * parser.share))
        var wrong: [String] = []
        for _ in 0..<count {
            let input = mutator.next()
            ftruncate(current, 0)
            _ = pwrite(current, input, input.count, 0)
            var found: [String] = []
            let time = try await ContinuousClock().measure { found = try await parser.check(input, scratch) }
            if time > Self.tooLong { found.append("it took \(time)") }
            if !found.isEmpty {
                let kept = "\(place)-\(wrong.count)"
                try Data(input).write(to: URL(fileURLWithPath: kept))
                wrong += found.map { "\($0) (input: \(kept))" }
            }
        }
        return (count, wrong)
    }
}
