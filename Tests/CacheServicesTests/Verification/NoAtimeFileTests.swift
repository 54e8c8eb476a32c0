import CLinux
import CacheModel
import Foundation
import TestSupport
import Testing

@testable import FileAccess

/// Reading that nobody notices.
@Suite struct NoAtimeFileTests {
    private let directory: TemporaryDirectory
    private let root: OpenDirectory

    init() throws {
        directory = try TemporaryDirectory()
        root = try OpenDirectory.open(root: directory.path)
        // Armed: under relatime the next read would show at once.
        try directory.write("file", bytes: 300_000)
        try directory.shell("touch -a -d '3 days ago' file")
    }

    private func readAll(_ file: NoAtimeFile) throws -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        return try file.read(into: buffer, at: 0)
    }

    /// The name and the times of the file, as stat(1) says them.
    private func times() throws -> String { try directory.shell("stat -c '%n %.9X %.9Y' file") }

    @Test func readingLeavesTheAccessTime() throws {
        let before = try times()
        let file = try #require(try NoAtimeFile.open("file".utf8.cString, in: root))
        #expect(try readAll(file) == 300_000)
        #expect(try times() == before)
        // A job's read shows still.
        try directory.shell("cat file > /dev/null")
        #expect(try times() != before)
    }

    /// Without `O_NOATIME` the time is put back, and armed as it was.
    @Test func withoutTheFlagTheTimeIsPutBack() throws {
        let before = try times()
        var file = try NoAtimeFile.open("file".utf8.cString, in: root, flag: 0)
        #expect(try readAll(try #require(file)) == 300_000)
        #expect(try times() != before)
        file = nil
        #expect(try times() == before)
        try directory.shell("cat file > /dev/null")
        #expect(try times() != before)
    }

    /// Another user could neither keep the time nor put it back: EPERM, and the file is not read.
    @Test(.enabled(if: geteuid() == 0, "needs root to become another user"))
    func anotherUsersFileIsNotRead() throws {
        try directory.shell("chmod 755 . ; chmod 666 file; chown 1001 file")
        let before = try times()
        let refusal = try run(
            "/usr/bin/python3", "-c",
            """
            import os, sys
            os.setresuid(1002, 1002, 1002)
            for attempt in (lambda: os.open(sys.argv[1], os.O_RDONLY | os.O_NOATIME),
                            lambda: os.utime(sys.argv[1], ns=(1, 1))):
                try: attempt(); print("allowed")
                except PermissionError: print("refused")
            """, directory.path + "/file"
        ).checked().output
        #expect(refusal == "refused\nrefused\n")
        #expect(try times() == before)
    }

    @Test func whatIsNoFileIsNotOpened() throws {
        try directory.shell("ln -s file link; mkfifo pipe; mkdir directory; ln -s /dev/null device")
        for name in ["link", "pipe", "directory", "device"] {
            #expect(try NoAtimeFile.open(name.utf8.cString, in: root) == nil, "\(name)")
        }
        #expect(throws: SystemError(code: ENOENT)) { _ = try NoAtimeFile.open("none".utf8.cString, in: root) }
    }

    @Test(arguments: [
        "echo more >> file", "truncate -s 10 file", "echo x > new; mv new file", "touch file", "rm file",
    ])
    func aChangeShows(script: String) throws {
        let file = try #require(try NoAtimeFile.open("file".utf8.cString, in: root))
        #expect(file.isUnchanged)
        try directory.shell(script)
        #expect(!file.isUnchanged)
    }

    /// What jobs have in memory stays there; what only this read goes.
    @Test func thePageCacheIsLeftAsItWas() throws {
        func isCached() throws -> Bool {
            try run(
                "/usr/bin/python3", "-c",
                """
                import ctypes, mmap, os, sys
                fd = os.open(sys.argv[1], os.O_RDONLY | os.O_NOATIME); size = os.fstat(fd).st_size
                libc = ctypes.CDLL(None, use_errno=True)
                libc.mmap.restype = ctypes.c_void_p
                libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
                at = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
                pages = (ctypes.c_ubyte * ((size + 4095) // 4096))()
                assert libc.mincore(ctypes.c_void_p(at), ctypes.c_size_t(size), pages) == 0
                print(int(any(p & 1 for p in pages)))
                """, directory.path + "/file"
            ).checked().output == "1\n"
        }
        try directory.shell("sync file; dd of=file oflag=nocache conv=notrunc,fdatasync count=0 status=none")
        try #require(try !isCached(), "the file system keeps the page cache")
        var file = try NoAtimeFile.open("file".utf8.cString, in: root)
        _ = try readAll(try #require(file))
        #expect(try isCached())
        file = nil
        #expect(try !isCached())
        try directory.shell("cat file > /dev/null")
        file = try NoAtimeFile.open("file".utf8.cString, in: root)
        _ = try readAll(try #require(file))
        file = nil
        #expect(try isCached())
    }
}
