import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

/// One reader under libFuzzer, in a build that counts what each input reaches: what `Tests/Fuzz/run` runs.
///
/// libFuzzer is linked into that build alone and found by its name, so that no other build needs it. It ends the
/// process itself, after a finding as after its time.
@Suite struct GuidedFuzzing {
    private static let settings = ProcessInfo.processInfo.environment

    @Test func whateverReachesMoreOfAReaderDoesNoHarm() async throws {
        // Only Tests/Fuzz/run asks for it, in its own build.
        guard let name = Self.settings["LARDER_FUZZ_READER"] else { return }
        let parser = try #require(Parser.all.first { $0.name == name }, "no reader is called \(name)")
        let arguments = (Self.settings["LARDER_FUZZ_ARGUMENTS"] ?? "").split(separator: "\n").map(String.init)
        let driver = try #require(LibFuzzer(), "this build has no libFuzzer")
        let target = Target(parser: parser, scratch: try TemporaryDirectory())
        Target.current.withLock { $0 = target }
        await withCheckedContinuation { (_: CheckedContinuation<Void, Never>) in
            // A thread of its own: readers that wait need those of the tests.
            let thread = Thread { exit(driver.run(arguments) { bytes in Target.take(bytes) }) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// The reader at hand, where a C function finds it.
    private struct Target {
        static let current = Mutex<Target?>(nil)

        let parser: Parser
        let scratch: TemporaryDirectory

        /// Gives the reader an input; ends the process where it does what it must not do.
        static func take(_ bytes: [UInt8]) {
            guard let target = current.withLock({ $0 }) else { return }
            let wrong = Mutex<[String]>([])
            let done = DispatchSemaphore(value: 0)
            Task.detached {
                do {
                    let found = try await target.parser.check(bytes, target.scratch)
                    wrong.withLock { $0 = found }
                } catch { wrong.withLock { $0 = ["it cannot be checked: \(error)"] } }
                done.signal()
            }
            done.wait()
            let sentences = wrong.withLock { $0 }
            guard !sentences.isEmpty else { return }
            let text = sentences.prefix(10).map { "VIOLATION: \($0)\n" }.joined()
            FileHandle.standardError.write(Data(text.utf8))
            abort()
        }
    }
}

/// The entry point of libFuzzer (compiler-rt, `lib/fuzzer/FuzzerInterface.h`, `LLVMFuzzerRunDriver`).
private struct LibFuzzer: Sendable {
    private typealias Callback = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private typealias Driver =
        @convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Arguments?>, Callback) -> Int32

    private static let reader = Mutex<(@Sendable ([UInt8]) -> Void)?>(nil)
    private let driver: Driver

    /// Nil in a build without it.
    init?() {
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "LLVMFuzzerRunDriver") else { return nil }
        driver = unsafeBitCast(symbol, to: Driver.self)
    }

    /// Runs with those arguments until the time they give is over, and returns the status to exit with.
    func run(_ arguments: [String], _ reader: @escaping @Sendable ([UInt8]) -> Void) -> Int32 {
        Self.reader.withLock { $0 = reader }
        var count = Int32(arguments.count + 1)
        // It keeps them, to the end of the process.
        var words = (["larder"] + arguments).map { strdup($0) } + [nil]
        return words.withUnsafeMutableBufferPointer { words in
            var base = words.baseAddress
            return driver(&count, &base) { data, size in
                let bytes = Array(UnsafeBufferPointer(start: data, count: size))
                LibFuzzer.reader.withLock { $0 }?(bytes)
                return 0
            }
        }
    }
}
