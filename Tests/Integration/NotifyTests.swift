import Foundation
import TestSupport
import Testing

/// Webhooks against a receiver that fails in turns.
@Suite struct NotifyTests {
    /// A receiver on loopback that answers with these statuses in turn, the last one for ever, and writes what it got.
    private final class Receiver {
        let port: Int
        private let process = Process()
        private let directory: TemporaryDirectory

        init(in directory: TemporaryDirectory, statuses: [Int]) throws {
            self.directory = directory
            let program = """
                import http.server, json, sys
                statuses = json.loads(sys.argv[1])
                class Handler(http.server.BaseHTTPRequestHandler):
                    def do_POST(self):
                        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                        with open(sys.argv[2], "a") as log: log.write(self.path + " " + body + chr(10))
                        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
                        self.send_header("Content-Length", "0"); self.end_headers()
                    def log_message(self, *arguments): pass
                server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
                print(server.server_port, flush=True)
                server.serve_forever()
                """
            process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            process.arguments = ["-c", program, "\(statuses)", directory.path + "/received"]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            port = try #require(
                Int(
                    String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
                        .trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        // A thread of Dispatch blocks SIGTERM, and what it starts inherits that.
        deinit { kill(process.processIdentifier, SIGKILL) }

        var received: [String] {
            let text = (try? String(contentsOfFile: directory.path + "/received", encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map(String.init)
        }
    }

    private func volume(hooks: String) throws -> (Program, TemporaryDirectory) {
        let directory = try TemporaryDirectory()
        for name in ["old", "new"] {
            let path = "cache/.m2/repository/g/\(name)/1"
            try directory.write("\(path)/\(name)-1.jar", bytes: 200_000)
            try directory.write("\(path)/_remote.repositories", "\(name)-1.jar>central=\n")
        }
        try directory.shell("find cache -exec touch -h -d '40 days ago' {} +")
        try directory.write(
            "larder.yaml",
            """
            state: \(directory.path)/state
            cluster: east
            volumes:
              - {name: build, kind: build-cache, path: \(directory.path)/cache, limit: 10Mi}
            notifications:
              webhooks:
            \(hooks)

            """)
        var larder = Program()
        larder.options = ["--config", directory.path + "/larder.yaml"]
        larder.folder = directory
        return (larder, directory)
    }

    @Test func aPruneTellsEachWebhookInItsForm() throws {
        let directory = try TemporaryDirectory()
        let receiver = try Receiver(in: directory, statuses: [503, 200])
        let base = "http://127.0.0.1:\(receiver.port)"
        try directory.write("secret", "\(base)/hidden-token\n")
        let (larder, _) = try volume(
            hooks: """
                    - {url: "\(base)/generic"}
                    - {url_file: \(directory.path)/secret, format: slack, template: "[{cluster}] {event}: {text}"}
                    - {url: "\(base)/damage", events: [damaged]}
                """)
        let result = try larder("prune", "--to", "300k", "--force-limit")
        #expect(result.status == 0, "\(result.errors)")
        let received = receiver.received
        // All are told at once, in no order; whichever came first was refused and sent again.
        #expect(Set(received.map { String($0.prefix { $0 != " " }) }) == ["/generic", "/hidden-token"])
        #expect(received.count == 3)
        func last(_ path: String) throws -> JSON {
            let line = try #require(received.last { $0.hasPrefix(path + " ") })
            return try JSON(String(line.dropFirst(path.count + 1)))
        }
        let generic = try last("/generic")
        #expect(generic["schema"].string == "larder.notification/1")
        #expect(generic["event"].string == "pruned" && generic["volume"].string == "build")
        #expect(generic["figures"]["evicted"].integer == 1)
        let slack = try last("/hidden-token")
        #expect(slack["text"].string?.hasPrefix("[east] pruned: build: 1 entry evicted") == true)
        #expect(!result.errors.contains("hidden-token"))
    }

    @Test func aWebhookThatRefusesStopsNothing() throws {
        let directory = try TemporaryDirectory()
        let receiver = try Receiver(in: directory, statuses: [404])
        let (larder, _) = try volume(hooks: "    - {url: \"http://127.0.0.1:\(receiver.port)/secret-path\"}")
        let result = try larder("prune", "--to", "300k", "--force-limit")
        #expect(result.status == 0)
        #expect(receiver.received.count == 1, "a refusal is not tried again")
        #expect(result.errors.contains("notifications.webhooks[0] (127.0.0.1): the server answered 404"))
        #expect(!result.errors.contains("secret-path"))
    }

    @Test func aTestSaysThatItIsOne() throws {
        let directory = try TemporaryDirectory()
        let receiver = try Receiver(in: directory, statuses: [200])
        let (larder, _) = try volume(
            hooks: """
                    - {url: "http://127.0.0.1:\(receiver.port)/json"}
                    - {url: "http://127.0.0.1:\(receiver.port)/slack", format: slack, template: "{event} {text}"}
                """)
        let output = try larder("notify", "--test").output
        #expect(output.contains(": test\n") && !output.contains("pruned"), "\(output)")
        #expect(receiver.received.count == 2 && !receiver.received.contains { $0.contains("pruned") })
        #expect(receiver.received.contains { $0.contains(#""event":"test""#) })
        #expect(receiver.received.contains { $0.contains("test This is a test") })
    }

    @Test func eachFurtherAttemptIsTold() throws {
        let directory = try TemporaryDirectory()
        let receiver = try Receiver(in: directory, statuses: [503, 200, 503, 200])
        let (larder, _) = try volume(hooks: "    - {url: \"http://127.0.0.1:\(receiver.port)/secret-path\"}")
        let told = try larder("notify", "--test").errors
        #expect(
            told.contains(
                "notifications.webhooks[0] (127.0.0.1): the server answered 503; trying again in 1 s (attempt 2 of 4)"
            ), "\(told)")
        #expect(!told.contains("secret-path"))
        #expect(try larder("notify", "--test", "--quiet").errors.isEmpty)
    }

    @Test(arguments: [
        ("{volume} {nope}", "{nope} stands for nothing", "`{node}`"),
        ("{whatever}", "{whatever} stands", nil), ("{volmue}", "{volmue} stands", "`{volume}`"),
        ("{Text}", "{Text} stands", "`{text}`"),
    ])
    func anUnknownPlaceholderIsRefused(template: String, words: String, meant: String?) throws {
        let (larder, _) = try volume(hooks: "    - {url: \"https://x/\", template: \"\(template)\"}")
        let wrong = try larder("config", "validate")
        #expect(wrong.status == 78)
        #expect(wrong.errors.contains(words), "\(wrong.errors)")
        #expect(wrong.errors.contains("{volume}, {event}, {text}, {run}, {cluster} and {node}"))
        #expect(wrong.errors.contains("did you mean") == (meant != nil), "\(wrong.errors)")
        if let meant { #expect(wrong.errors.contains("did you mean \(meant)?"), "\(wrong.errors)") }
    }

    @Test func bracesThatAreNoPlaceholderStay() throws {
        let (larder, _) = try volume(
            hooks: "    - {url: \"https://x/\", template: \"{} { volume } {1} {text}\"}")
        #expect(try larder("config", "validate").status == 0)
    }

    @Test func aDryRunShowsAndSendsNothing() throws {
        let directory = try TemporaryDirectory()
        let receiver = try Receiver(in: directory, statuses: [200])
        let (larder, _) = try volume(hooks: "    - {url: \"http://127.0.0.1:\(receiver.port)/\"}")
        let dry = try larder.json("notify", "--test", "--dry-run")
        #expect(dry["deliveries"][0]["body"].string?.contains("This is a test") == true)
        #expect(receiver.received.isEmpty)
        #expect(try larder("notify", "--test").output.contains("1 notification sent."))
        #expect(receiver.received.count == 1)
    }

    @Test func aStateThatLastsIsToldOnce() throws {
        let directory = try TemporaryDirectory()
        let receiver = try Receiver(in: directory, statuses: [200])
        let (larder, bed) = try volume(hooks: "    - {url: \"http://127.0.0.1:\(receiver.port)/\"}")
        try bed.write("cache/dump/big.bin", bytes: 11_000_000)
        for _ in 1...3 { #expect(try larder("prune", "--force-limit").status == 3) }
        func told() -> Int { receiver.received.count { $0.contains("over-quota") } }
        #expect(told() == 1)
        // Once it was over, it is news again.
        try bed.shell("rm cache/dump/big.bin")
        #expect(try larder("prune").status == 0)
        try bed.write("cache/dump/big.bin", bytes: 11_000_000)
        #expect(try larder("prune").status == 3)
        #expect(told() == 2)
    }

    @Test func wrongWebhooksAreRefused() throws {
        let (larder, _) = try volume(
            hooks: """
                    - {url: "ftp://x/"}
                    - {format: slack}
                    - {url: "https://x/", events: [purned]}
                """)
        let wrong = try larder("config", "validate")
        #expect(wrong.status == 78)
        for words in ["https:// or http://", "one of url and url_file", "did you mean `pruned`?"] {
            #expect(wrong.errors.contains(words), "\(wrong.errors)")
        }
    }
}
