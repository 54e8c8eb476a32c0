import FileAccess
import Foundation
import TestSupport
import Testing

/// Files that are written for people: whole, or as they were.
@Suite struct ReplaceFileTests {
    @Test func aFileIsReplacedAndKeepsItsMode() throws {
        let directory = try TemporaryDirectory()
        try directory.write("old", "old")
        try directory.shell("chmod 640 old; ln -s old link")
        try replaceFile(at: directory.path + "/link", with: "new")
        #expect(
            try directory.shell("cat old; stat -c ' %a' old; readlink link; ls | wc -l")
                == "new 640\nold\n2\n")
        try replaceFile(at: directory.path + "/made", with: "x", mode: 0o604)
        #expect(try directory.shell("stat -c %a made") == "604\n")
    }

    @Test func theSystemsReasonIsTold() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "x")
        for (path, reason) in [
            ("/nope/x", "No such file or directory"), (directory.path + "/file/x", "Not a directory"),
            (directory.path, "Is a directory"), ("/dev/full", "No space left on device"),
        ] {
            let error = #expect(throws: SystemError.self) { try replaceFile(at: path, with: "text") }
            #expect(error?.description == reason, "\(path)")
        }
        #expect(try directory.shell("ls") == "file\n")
    }

    /// A device in the place of a file stays there.
    @Test func whatIsNoRegularFileIsWrittenTo() throws {
        try replaceFile(at: "/dev/null", with: "text")
        var status = stat()
        #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }
}
