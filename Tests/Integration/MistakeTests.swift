import Foundation
import TestSupport
import Testing

/// What somebody types, forgets or closes: each is told in words that lead on.
@Suite struct MistakeTests {
    @Test(arguments: [
        (["--format", "json", "status"], "behind the command: larder status --format json"),
        (["--format=json", "status"], "behind the command: larder status --format=json"),
        (["--state", "/tmp/x", "--dry-run", "prune"], "behind the command: larder prune --dry-run"),
        (["--stat", "/tmp/x", "status"], "did you mean --state?"),
    ])
    func anOptionBeforeTheCommandIsToldItsPlace(arguments: [String], words: String) throws {
        let result = try run(Program.path, arguments)
        #expect(result.status == 64)
        #expect((result.errors + result.output).contains(words), "\(result.errors)\(result.output)")
        #expect(!(result.errors + result.output).contains("no command is called"))
    }

    @Test(arguments: [
        (["plan", "--to", "-5Gi"], "--to: found \"-5Gi\"; accepted: 0, or a quantity"),
        (["prune", "--idle-floor", "-5h"], "--idle-floor: found \"-5h\"; accepted: a duration"),
        (["report", "--window", "-1d"], "--window: found \"-1d\"; accepted: at least one day"),
        (["report", "--size", "-5Gi"], "--size: found \"-5Gi\"; accepted: a quantity"),
        (["list", "--limit", "-3"], "--limit: found \"-3\"; accepted: a whole number"),
        (["verify", "--max-rate", "-5Mi"], "--max-rate: found \"-5Mi\"; accepted: `none`, or a quantity"),
        (["warm", "--top", "-1"], "--top: found \"-1\"; accepted: a whole number"),
        (
            ["report", "--window", "5"],
            "accepted: at least one day, such as 30d or 2w, and at most 100 years; did you mean `5d`?"
        ),
        (["list", "--filter", "size>1GB"], "found \"1GB\"; accepted: a quantity such as 20Gi, 500M"),
        (["list", "--filter", "size>1GB"], "did you mean `1Gi` or `1G`?"),
        (["plan", "--idle-floor", "24"], "did you mean `24h` or `24d`?"),
        (["plan", "--volume", "a", "--volume", "b"], "--volume is given more than once; accepted: once"),
        (["report", "--window=3d", "--window", "4d"], "--window is given more than once"),
        (["list", "--format", "text", "--format", "csv"], "--format is given more than once"),
    ])
    func aWrongValueIsToldWithWhatIsAccepted(arguments: [String], words: String) throws {
        let state = try TemporaryDirectory()
        let result = try run(Program.path, ["--state", state.path] + arguments)
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.errors.hasPrefix("larder: ") && result.errors.contains(words), "\(result.errors)")
    }

    /// A wrapper names a configuration, and its user another one; conditions add up.
    @Test func whatMayBeRepeatedIsNotRefused() throws {
        let (larder, directory) = try SeveralVolumesTests.program()
        let file = directory.path + "/larder.yaml"
        #expect(try larder("--config", file, "config", "validate").status == 0)
        #expect(try larder("list", "--filter", "used", "--filter", "size>1").status == 0)
        #expect(try larder("plan", "--key", "org.both:*", "--key", "a:b").status == 0)
    }

    @Test func whereNothingIsFoundItIsToldWhatWasLookedFor() throws {
        let directory = try TemporaryDirectory()
        guard !FileManager.default.fileExists(atPath: "/cache") else { return }
        let result = try run(
            "/usr/bin/env",
            ["-i", "HOME=\(directory.path)", Program.path, "--state", directory.path + "/state", "scan"])
        for place in [".m2/repository", ".gradle", ".local/share/containers/storage"] {
            #expect(result.errors.contains("\(directory.path)/\(place)"), "\(result.errors)")
        }
    }

    @Test func everyProblemOfAConfigurationBeginsAlike() throws {
        let directory = try TemporaryDirectory()
        try directory.write("c.yaml", "state: /tmp/x\nidle_floor: 5\nquiet: yes\nverify: {max_rate: 1}\n")
        let result = try run(Program.path, ["--config", directory.path + "/c.yaml", "config", "validate"])
        #expect(result.status == 78)
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 3 && lines.allSatisfy { $0.hasPrefix("larder: ") }, "\(result.errors)")
    }

    @Test func aFileThatCannotBeWrittenIsToldWithTheSystemsReason() throws {
        let (larder, directory) = try SeveralVolumesTests.program()
        for arguments in [
            ["report", "--output"], ["plan", "--output"], ["metrics", "--textfile"], ["manual"],
        ] {
            let options = arguments[0] == "manual" ? [] : larder.options
            let file = arguments[0] == "manual" ? directory.path + "/larder.yaml/x" : "/nope/x.prom"
            let result = try run(Program.path, options + arguments + [file])
            #expect(result.status == 1)
            let reason = arguments[0] == "manual" ? "Not a directory" : "No such file or directory"
            #expect(result.errors.contains(": \(reason)"), "\(arguments): \(result.errors)")
            #expect(!result.errors.contains("operation"), "\(arguments): \(result.errors)")
        }
    }

    @Test(arguments: [
        "--help", "list --help", "--version", "help status", "--generate-completion-script zsh", "",
    ])
    func aFullStandardOutputIsAFailureForHelpAsWell(command: String) throws {
        let directory = try TemporaryDirectory()
        let status = try directory.shell("'\(Program.path)' \(command) 2>errors >/dev/full || echo $?")
        #expect(status == "1\n")
        #expect(try directory.shell("cat errors").contains("standard output cannot be written"))
    }

    /// With the number of standard output free, the index would get it, and the list be written into the index.
    @Test func aClosedStandardOutputIsToldAndNothingIsWrittenElsewhere() throws {
        let (larder, directory) = try SeveralVolumesTests.program()
        let options = larder.options.joined(separator: " ")
        for command in ["list", "status", "--help"] {
            let status = try directory.shell(
                "'\(Program.path)' \(options) \(command) 2>errors >&- || echo $?")
            #expect(status == "1\n")
            let errors = try directory.shell("cat errors")
            #expect(
                errors.contains("standard output is closed") && !errors.contains("make room"), "\(errors)")
        }
        #expect(try directory.shell("'\(Program.path)' \(options) scan >&- 2>&- <&- || echo $?") == "1\n")
        #expect(try larder.json("list")["entries"].array.count == 3)
    }
}
