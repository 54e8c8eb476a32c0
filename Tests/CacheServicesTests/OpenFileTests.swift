import CLinux
import FileAccess
import Foundation
import Synchronization
import TestSupport
import Testing

/// Files that others may swap while they are opened.
@Suite struct OpenFileTests {
    /// Swaps `file` and `lure` in a process of its own for as long as the value lives.
    private final class Swapper: Sendable {
        private let process = Process()
        private let input = Pipe()

        init(in directory: String) throws {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            process.arguments = [
                "-c",
                """
                import ctypes, os, select, sys
                swap = ctypes.CDLL(None).renameat2
                at = os.open(sys.argv[1], os.O_RDONLY)
                print("ready", flush=True)
                while not select.select([0], [], [], 0)[0]:
                    for _ in range(999):
                        swap(at, b"file", at, b"lure", 2)
                """, directory,
            ]
            let output = Pipe()
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            _ = output.fileHandleForReading.readData(ofLength: 5)
        }

        deinit {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
    }

    /// What a race came to: how often the file was opened, how often not, and what should not have been.
    private struct Tally: Sendable {
        var opened = 0
        var refused = 0
        var wrong = 0
    }

    /// Opens the file again and again while it is swapped for the lure.
    private func race(_ bench: TemporaryDirectory, inode: UInt64) throws -> Tally? {
        let swapper = try Swapper(in: bench.path)
        defer { withExtendedLifetime(swapper) {} }
        let directory = try OpenDirectory.open(root: bench.path)
        let tally = Mutex(Tally())
        let done = DispatchSemaphore(value: 0)
        Thread {
            var own = Tally()
            // Both must come about, or there was no race.
            while own.opened + own.refused < 30_000 || own.opened < 100 || own.refused < 100 {
                guard let (file, found) = try? directory.openFile("file".utf8.cString, onlyName: true) else {
                    own.refused += 1
                    continue
                }
                var stat = stat()
                let isOwn = fstat(file, &stat) == 0 && stat.st_ino == inode && found.inode == inode
                if isOwn { own.opened += 1 } else { own.wrong += 1 }
                close(file)
                if own.wrong > 1000 { break }
            }
            let result = own
            tally.withLock { $0 = result }
            done.signal()
        }.start()
        // A call that blocks on a pipe never ends: somebody opens the other end then.
        if done.wait(timeout: .now() + 120) == .timedOut {
            for name in ["file", "lure"] { close(open("\(bench.path)/\(name)", O_RDWR | O_NONBLOCK)) }
            return nil
        }
        return tally.withLock { $0 }
    }

    @Test(arguments: ["ln -s precious lure", "mkfifo lure", "ln precious lure", "mkdir lure"])
    func whatIsSwappedInIsNeverOpened(lure: String) throws {
        let bench = try TemporaryDirectory()
        try bench.write("file", "own")
        try bench.write("precious", "precious")
        let inode = try #require(UInt64(try bench.shell("stat -c %i file").dropLast()))
        try bench.shell(lure)
        let tally = try #require(try race(bench, inode: inode), "opening a file blocked")
        #expect(tally.wrong == 0)
        #expect(tally.opened >= 100 && tally.refused >= 100)
    }

    /// The kernel tells whoever watches that a file was opened; opening alone makes some devices act.
    @Test(arguments: ["mkfifo lure", "ln -s precious lure", "ln precious lure"])
    func whatIsNoFileIsNotEvenOpened(lure: String) throws {
        let bench = try TemporaryDirectory()
        try bench.write("precious", "precious")
        try bench.shell(lure)
        let directory = try OpenDirectory.open(root: bench.path)
        let watch = inotify_init1(Int32(O_NONBLOCK))
        defer { close(watch) }
        for name in ["lure", "precious"] {
            #expect(inotify_add_watch(watch, "\(bench.path)/\(name)", UInt32(IN_OPEN)) >= 0)
        }
        #expect(throws: SystemError.self) {
            _ = try directory.openFile("lure".utf8.cString, onlyName: true)
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        #expect(read(watch, &buffer, buffer.count) == -1 && errno == EAGAIN)
    }

    @Test func aSecondNameIsRefusedOnlyWhereThatWasAsked() throws {
        let bench = try TemporaryDirectory()
        try bench.write("file", "own")
        let directory = try OpenDirectory.open(root: bench.path)
        close(try directory.openFile("file".utf8.cString, onlyName: true).descriptor)
        try bench.shell("ln file other")
        #expect(throws: SystemError(code: EMLINK)) {
            _ = try directory.openFile("file".utf8.cString, onlyName: true)
        }
        close(try directory.openFile("file".utf8.cString).descriptor)
    }
}
