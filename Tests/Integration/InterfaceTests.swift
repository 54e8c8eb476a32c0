import Foundation
import TestSupport
import Testing

/// What scripts and people meet first: pipes, colours, names of volumes, filters, mistakes.
@Suite struct InterfaceTests {
    private static let group = "com.example.a.rather.long.group.of.a.company"

    /// Two build caches of which one holds an artifact in both of Maven's and Gradle's layout.
    private func program() throws -> (Program, TemporaryDirectory) {
        let directory = try TemporaryDirectory()
        for number in 1...30 {
            let name = "an-artifact-with-a-long-name-\(number)"
            let path = "cache/.m2/repository/\(Self.group.replacing(".", with: "/"))/\(name)/1.0.\(number)"
            try directory.write("\(path)/\(name)-1.0.\(number).jar", bytes: 20_000 + number * 100)
            try directory.write("\(path)/_remote.repositories", "\(name)-1.0.\(number).jar>central=\n")
        }
        let shared = "cache/.m2/repository/org/both/lib/1.0"
        try directory.write("\(shared)/lib-1.0.jar", bytes: 5000)
        try directory.write("\(shared)/_remote.repositories", "lib-1.0.jar>central=\n")
        try directory.write(
            "cache/.gradle/caches/modules-2/files-2.1/org.both/lib/1.0/\(String(repeating: "a", count: 40))/lib-1.0.jar",
            bytes: 5000)
        try directory.write("second/.m2/repository/g/a/1/a-1.jar", bytes: 30_000)
        try directory.write("second/.m2/repository/g/a/1/_remote.repositories", "a-1.jar>central=\n")
        try directory.shell("find cache second -exec touch -h -d '40 days ago' {} +")
        let larder = try Program.scanned(
            """
            state: \(directory.path)/state
            volumes:
              - {name: build, kind: build-cache, path: \(directory.path)/cache, limit: 600k, low: 25%}
              - {name: second, kind: build-cache, path: \(directory.path)/second, limit: 10Mi}

            """.replacing("600k", with: "1100k"), in: directory)
        return (larder, directory)
    }

    @Test func aPipeGetsEveryKeyWholeAndUncoloured() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        let keys = try larder.json("list")["entries"].array.compactMap { $0["key"].string }
        #expect(keys.count == 33)
        let list = try larder("list").output
        for key in keys { #expect(list.contains(key)) }
        #expect(!list.contains("\u{1b}") && !list.contains("…"))
        #expect(list.split(separator: "\n").count { $0.contains(Self.group) } == 30)
        let planned = try larder.json("plan", "--volume", "build", "--idle-floor", "0s")
            .volume("build")["evict"].array.compactMap { $0["key"].string }
        #expect(planned.count > 20)
        let plan = try larder("plan", "--volume", "build", "--idle-floor", "0s").output
        for key in planned { #expect(plan.contains(key)) }
        #expect(plan.contains("To do it: larder prune --volume build"))
    }

    @Test(arguments: [60, 80, 120])
    func onATerminalKeysStayWholeAndLinesFit(columns: Int) throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        // script(1) of util-linux gives the command a terminal of its own.
        let command =
            "stty cols \(columns); unset COLUMNS NO_COLOR LARDER_TESTBED; TERM=xterm "
            + "\(Program.path) \(larder.options.joined(separator: " ")) list"
        let output = try run(
            "/usr/bin/script", ["-qec", "bash -c '\(command)'", directory.path + "/typescript"]
        ).checked().output.replacing("\r\n", with: "\n")
        #expect(output.contains("\u{1b}["))
        let plain = output.replacing(/\u{1b}\[[0-9;]*m/, with: "")
        for line in plain.split(separator: "\n") { #expect(line.count <= columns, "\(line)") }
        #expect(plain.contains("an-artifact-with-a-long-name-7"))
        if columns > 90 { #expect(plain.contains("\(Self.group):an-artifact-with-a-long-name-7:1.0.7")) }
        #expect(!plain.contains("…"))
    }

    @Test func colourAndQuietAreAsAsked() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        #expect(try larder("status", "--color", "always").output.contains("\u{1b}["))
        #expect(try !larder("status", "--color", "never").output.contains("\u{1b}["))
        let wrong = try larder("status", "--color", "maybe")
        #expect(wrong.status == 64 && wrong.errors.contains("always, never, auto"))
        // A variable that is none of ours is a warning.
        func told(_ arguments: [String]) throws -> String {
            try run("/usr/bin/env", ["LARDER_STAET=x", Program.path] + larder.options + arguments).checked()
                .errors
        }
        #expect(try told(["status"]).contains("LARDER_STAET"))
        #expect(try told(["status", "--quiet"]).isEmpty)
        #expect(try told(["status", "--log-level", "error"]).isEmpty)
        #expect(try told(["status", "--log-level", "debug"]).contains("state in"))
    }

    @Test func eachCommandWorksOnTheVolumeThatIsNamed() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        for command in ["scan", "status", "plan"] {
            let volumes = try larder.json(command, "--volume", "second")["volumes"].array
            #expect(volumes.compactMap { $0["name"].string } == ["second"], "\(command)")
        }
        #expect(try larder.json("list", "--volume", "second")["entries"].array.count == 1)
        #expect(try larder("metrics", "--volume", "second").output.contains("\"build\"") == false)
        for command in ["status", "list", "plan", "report", "scan", "verify", "trash", "metrics", "doctor"] {
            let wrong = try larder(command, "--volume", "secnod")
            #expect(wrong.status == 64, "\(command)")
            #expect(wrong.errors.contains("did you mean second?"), "\(command): \(wrong.errors)")
        }
    }

    @Test func aSizeForSeveralVolumesIsRefused() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        for command in ["plan", "prune"] {
            let wrong = try larder(command, "--to", "0", "--idle-floor", "0s")
            #expect(wrong.status == 64 && wrong.errors.contains("--volume"), "\(command)")
        }
        #expect(directory.exists("second/.m2/repository/g/a/1/a-1.jar"))
        // Directories of no entry stay, so that nothing at all cannot be reached.
        let plan = try larder.json(
            "plan", "--to", "0", "--idle-floor", "0s", "--volume", "second", status: 3)
        #expect(plan["volumes"].array.count == 1)
    }

    @Test func listsAreFilteredSortedAndExported() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        func keys(_ arguments: String...) throws -> [String] {
            try run(Program.path, larder.options + ["list", "--format", "json"] + arguments).checked().output
                .split(separator: "\n").compactMap { line in
                    line.range(of: "\"key\": \"").map { String(line[$0.upperBound...].prefix { $0 != "\"" }) }
                }
        }
        #expect(try keys("--filter", "org.both:*").sorted() == ["org.both:lib:1.0", "org.both:lib:1.0"])
        #expect(try keys("--filter", "pool=gradle") == ["org.both:lib:1.0"])
        #expect(try keys("--filter", "never-used", "--filter", "size>35k") == ["g:a:1"])
        #expect(try keys("--filter", "age<1d").isEmpty)
        #expect(try keys("--sort", "frees", "--limit", "1") == ["g:a:1"])
        let wrong = try larder("list", "--filter", "agee>3d")
        #expect(wrong.status == 64 && wrong.errors.contains("did you mean age>3d?"))

        let csv = try larder("list", "--format", "csv").output
        #expect(
            csv.utf8.suffix(2).elementsEqual("\r\n".utf8) && !csv.utf8.suffix(3).elementsEqual("\n\r\n".utf8))
        #expect(!csv.utf8.suffix(2).elementsEqual("\n\n".utf8))
        try directory.write("list.csv", csv)
        let rows = try directory.shell(
            "python3 -c 'import csv; r = list(csv.DictReader(open(\"list.csv\", newline=\"\"))); "
                + "print(len(r), sum(int(x[\"bytes\"]) for x in r))'")
        let whole = try larder.json("list")
        let sum = whole["entries"].array.reduce(Int64(0)) { $0 + ($1["bytes"].integer ?? 0) }
        #expect(rows.trimmingCharacters(in: .whitespacesAndNewlines) == "33 \(sum)")
        #expect(whole["total_bytes"].integer == sum)
        let lines = try larder("list", "--format", "jsonl").output.split(separator: "\n")
        #expect(lines.count == 33)
        for line in lines { #expect(try JSON(String(line))["key"].string != nil) }

        var (paged, cursor): ([String], String?) = ([], nil)
        repeat {
            let arguments = cursor.map { ["--cursor", $0] } ?? []
            let page = try JSON(
                run(Program.path, larder.options + ["list", "--limit", "10", "--format", "json"] + arguments)
                    .checked().output)
            paged += page["entries"].array.compactMap { $0["path"].string }
            cursor = page["next_cursor"].string
        } while cursor != nil
        #expect(paged == whole["entries"].array.compactMap { $0["path"].string })
    }

    @Test func explainTakesAnyNameAndAnswersWithOneDocument() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        let both = try larder.json("explain", "org.both:lib:1.0")
        #expect(
            both["matches"].array.compactMap { $0["entry"]["pool"].string }.sorted() == ["gradle", "maven"])
        #expect(try larder("explain", "org.both:lib:1.0").output.contains("matches 2 entries"))
        let path = directory.path + "/second/.m2/repository/g/a/1"
        #expect(try larder.json("explain", path)["key"].string == "g:a:1")
        #expect(try larder.json("explain", "org.both:*")["matches"].array.count == 2)
        let many = try larder.json("explain", "\(Self.group):*")
        #expect(many["matches"].array.count == 20 && many["has_more"].bool == true)
        let near = try larder.json("explain", "org.both:lib:1.1", status: 1)
        #expect(near["schema"].string == "larder.error/1")
        #expect(near["hint"].string?.contains("org.both:lib:1.0") == true)
    }

    @Test(arguments: [
        (["stauts"], "did you mean status?"), (["trash", "lst"], "did you mean list?"),
        (["--state", "/tmp/x", "pln"], "did you mean plan?"), (["restore"], "did you mean trash restore?"),
        (["list", "--forma", "json"], "Did you mean '--format'?"),
        (["plan", "--to", "20GB"], "did you mean `20Gi` or `20G`?"),
        (["prune", "--to", "20"], "accepted: 0, or"),
        (["list", "--limit", "0"], "from 1 to"), (["report", "--window", "1h"], "at least one day"),
        (["plan", "--idle-floor", "1 h"], "did you mean `1h`?"), (["warm", "--top", "x"], "1 to 1000"),
    ])
    func mistakesAreToldWithWhatWasMeant(arguments: [String], words: String) throws {
        let result = try run(Program.path, arguments)
        #expect(result.status == 64, "\(arguments): \(result.errors)")
        #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
        #expect(result.output.isEmpty)
        let json = try run(Program.path, arguments + ["--format", "json"])
        if arguments[0] != "list" || arguments[1] != "--forma" {
            #expect(try JSON(json.output)["code"].integer == 64, "\(arguments): \(json.output)")
        }
    }

    @Test func theConfigurationIsShownAndChecked() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        let shown = try larder.json("config", "show")
        let limit = shown["values"].array.first { $0["key"].string == "volumes[1].limit" }
        #expect(limit?["value"].string == "10Mi" && limit?["source"].string == "line 4")
        #expect(try larder("config", "validate").output.contains("The configuration is valid"))
        try directory.write("wrong.yaml", "idel_floor: 2h\nlimit: 20Gi\nlimits: {entries: many}\n")
        let wrong = try run(Program.path, ["--config", directory.path + "/wrong.yaml", "config", "validate"])
        #expect(wrong.status == 78)
        let paragraphs = wrong.errors.split(separator: "\n").filter { $0.contains("wrong.yaml:") }
        #expect(paragraphs.count == 3, "\(wrong.errors)")
    }

    @Test func theStatusIsExported() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        let volumes = try larder.json("status")["volumes"].array
        try directory.write("status.csv", larder("status", "--format", "csv").output)
        let rows = try directory.shell(
            "python3 -c 'import csv; r = list(csv.DictReader(open(\"status.csv\", newline=\"\"))); "
                + "print(*(x[\"name\"] + \"=\" + x[\"used_bytes\"] for x in r))'")
        let told = volumes.map { "\($0["name"].string ?? "")=\($0["used_bytes"].integer ?? 0)" }
        #expect(rows.trimmingCharacters(in: .whitespacesAndNewlines) == told.joined(separator: " "))
        #expect(try larder("status", "--format", "openmetrics").output.hasSuffix("# EOF\n"))
        let html = try larder("status", "--format", "html").output
        #expect(html.contains("<h3>build") && html.hasSuffix("</html>\n") && !html.contains("href=\"/"))
    }

    @Test func oneMistakeHasOneWordingWhereverItIsMade() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        for (arguments, message) in [
            (
                ["plan", "--volume", "build", "--to", "20GB"],
                "--to: found \"20GB\"; accepted: 0, or a quantity"
            ),
            (["plan", "--idle-floor", "1.5d"], "--idle-floor: found \"1.5d\"; accepted: a duration"),
            (["plan", "--format", "yaml"], "--format: found \"yaml\"; accepted: text, json"),
            (["list", "--limit", "1e3"], "--limit: found \"1e3\"; accepted: a whole number"),
            (
                ["status", "--format", "x"],
                "--format: found \"x\"; accepted: text, json, html, csv, openmetrics"
            ),
        ] {
            let result = try run(Program.path, larder.options + arguments)
            #expect(result.status == 64 && result.errors.hasPrefix("larder: \(message)"), "\(result.errors)")
        }
    }

    @Test func aPathThatAPersonHasIsExplained() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        let jar = ".m2/repository/org/both/lib/1.0/lib-1.0.jar"
        let options = larder.options.joined(separator: " ")
        for (place, path) in [
            ("cache", jar), ("cache/.m2", "repository/org/both/lib/1.0"),
            ("cache/.m2/repository", "../../\(jar)"),
            ("second", "\(directory.path)/cache/\(jar)"),
        ] {
            let said = try directory.shell("cd \(place); \(Program.path) \(options) explain \(path)")
            #expect(said.contains("org.both:lib:1.0"), "\(place) \(path)")
        }
    }

    @Test func whatIsEvictedIsToldInWords() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        let result = try larder("prune", "--volume", "build", "--idle-floor", "0s", "--force-limit")
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            result.output.contains("left the cache; the disk g") && result.output.contains(" tomorrow."),
            "\(result.output)")
        #expect(result.output.contains("larder trash restore "))
    }

    @Test func aLaptopIsLookedAtAndLeftAsItIs() throws {
        let (_, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        guard !FileManager.default.fileExists(atPath: "/cache") else { return }
        try directory.shell("mkdir home; mv cache/.m2 home/.m2; find home | sort > before")
        func larder(_ arguments: String...) throws -> ProcessResult {
            try run(
                "/usr/bin/env",
                [
                    "-i", "HOME=\(directory.path)/home", "XDG_STATE_HOME=\(directory.path)/laptop",
                    Program.path,
                    "--state", directory.path + "/laptop",
                ] + arguments)
        }
        let scan = try larder("scan")
        #expect(scan.status == 0 && scan.errors.contains("your own caches"), "\(scan.errors)")
        #expect(try larder("list").output.contains("org.both:lib:1.0"))
        #expect(try larder("plan").status == 0)
        #expect(try larder("prune", "--to", "0", "--idle-floor", "0s", "--force-limit").status == 1)
        let doctor = try larder("doctor").output
        #expect(
            doctor.contains("Larder only looks at it") && !doctor.contains("run Larder as uid"), "\(doctor)")
        try directory.shell("find home | sort > after; cmp before after")
    }

    @Test func everyCommandHasAManualPageWithItsOptions() throws {
        let directory = try TemporaryDirectory()
        try run(Program.path, ["manual", directory.path + "/man1"]).checked()
        let pages = try directory.shell("ls man1").split(separator: "\n").map(String.init)
        for name in ["larder", "larder-list", "larder-trash-restore", "larder-config-show", "larder-prune"] {
            #expect(pages.contains("\(name).1"))
        }
        #expect(!pages.contains { $0.contains("manual") })
        for page in pages {
            let words = page.dropLast(2).split(separator: "-").map(String.init)
            let path = page == "larder-lint-runner.1" ? ["larder", "lint-runner"] : words
            guard !page.contains("-log.1") else { continue }
            let help = try run(Program.path, Array(path.dropFirst()) + ["--help"]).checked().output
            let text = try String(contentsOfFile: "\(directory.path)/man1/\(page)", encoding: .utf8)
            for option in help.matches(of: /\n  (--[a-z-]+)/) {
                #expect(text.contains(option.1.replacing("-", with: "\\-")), "\(page): \(option.1)")
            }
            #expect(text.utf8.allSatisfy { $0 < 128 })
        }
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/groff") else { return }
        #expect(try directory.shell("groff -man -ww -Tascii man1/*.1 2>&1 >/dev/null").isEmpty)
    }

    @Test func shellsCompleteWhatIsKnown() throws {
        let (larder, directory) = try program()
        defer { withExtendedLifetime(directory) {} }
        for shell in ["bash", "zsh", "fish"] {
            let script = try run(Program.path, ["--generate-completion-script", shell]).checked().output
            try directory.write("completion.\(shell)", script)
            #expect(script.contains("---completion"))
        }
        // As bash would ask: the words of the line, and where the cursor is.
        let script = """
            source completion.bash
            complete_line() {
              COMP_LINE=$1; COMP_POINT=${#1}; read -ra COMP_WORDS <<<"$1"; [[ $1 == *" " ]] && COMP_WORDS+=("")
              COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
              _larder larder "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
              printf '%s\\n' "${COMPREPLY[@]}"
            }
            complete_line "larder plan --volume "
            complete_line "larder explain org.both"
            complete_line "larder sta"
            """
        try directory.write("ask.bash", script)
        let answer = try run(
            "/usr/bin/env",
            [
                "PATH=\(URL(fileURLWithPath: Program.path).deletingLastPathComponent().path):/usr/bin:/bin",
                "LARDER_CONFIG=\(directory.path)/larder.yaml", "bash", "-c",
                "cd \(directory.path); bash ask.bash",
            ]
        ).output
        #expect(answer.contains("build") && answer.contains("second"), "\(answer)")
        #expect(answer.contains("status"), "\(answer)")
        // zsh's `_describe` takes what is behind a colon for a description.
        func offered(_ shell: String, _ arguments: [String]) throws -> [String] {
            try run(
                "/usr/bin/env",
                [
                    "SAP_SHELL=\(shell)", "LARDER_CONFIG=\(directory.path)/larder.yaml", Program.path,
                    "---completion",
                ]
                    + arguments
            ).output.split(separator: "\n").map(String.init)
        }
        let asked = ["explain", "--", "positional@0", "2", "8", "larder", "explain", "org.both"]
        #expect(try offered("zsh", asked).contains(#"org.both\:lib\:1.0"#))
        #expect(try offered("fish", asked).contains { $0.contains("org.both:lib:1.0") })
        // Of a run in the trash its keys are offered.
        #expect(
            try larder("prune", "--volume", "build", "--idle-floor", "0s", "--force-limit").status == 0)
        let evicted = try #require(try larder.json("trash")["runs"][0]["run"].string)
        let keys = try offered(
            "fish",
            ["trash", "restore", "--", "positional@1", "4", "0", "larder", "trash", "restore", evicted, ""])
        #expect(keys.contains { $0.contains(Self.group) }, "\(keys)")
    }
}
