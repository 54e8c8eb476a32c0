import Foundation
import TestSupport
import Testing

/// A socket whose Podman has another store than the volume's: nothing is asked of it that changes anything.
@Suite struct OtherStoreTests {
    /// A stand-in for Podman that tells a root of its own and writes down what it is asked to change.
    private final class Podman {
        private let process = Process()

        init(root: String, in directory: TemporaryDirectory) throws {
            let program = """
                import http.server, json, socketserver, sys
                class Handler(http.server.BaseHTTPRequestHandler):
                    def address_string(self): return "socket"
                    def log_message(self, *arguments): pass
                    def answer(self, body):
                        text = json.dumps(body).encode()
                        self.send_response(200)
                        self.send_header("Libpod-API-Version", "4.3.1")
                        self.send_header("Content-Length", str(len(text)))
                        self.end_headers()
                        self.wfile.write(text)
                    def do_GET(self):
                        info = {"host": {}, "version": {"Version": "4.3.1"},
                                "store": {"graphDriverName": "vfs", "graphRoot": sys.argv[2]}}
                        self.answer(info if "/info" in self.path else [])
                    def do_DELETE(self):
                        open(sys.argv[3], "a").write(self.command + " " + self.path + chr(10))
                        self.answer({"Deleted": [], "Untagged": [], "ExitCode": 0})
                    do_POST = do_DELETE
                class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): daemon_threads = True
                server = Server(sys.argv[1], Handler)
                print("up", flush=True)
                server.serve_forever()
                """
            process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            process.arguments = [
                "-c", program, directory.path + "/podman.sock", root, directory.path + "/asked",
            ]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            #expect(output.fileHandleForReading.availableData.starts(with: Data("up".utf8)))
        }

        deinit { kill(process.processIdentifier, SIGKILL) }
    }

    private func larder(in directory: TemporaryDirectory) throws -> Program {
        try FakeStore(in: directory).write(images: 2)
        try directory.shell("mkdir -p events; ln -s storage elsewhere; mkdir other")
        let larder = Program(
            store: directory.path + "/storage", socket: directory.path + "/podman.sock")
        try larder("scan").checked()
        return larder
    }

    private func asked(_ directory: TemporaryDirectory) -> String {
        (try? String(contentsOfFile: directory.path + "/asked", encoding: .utf8)) ?? ""
    }

    @Test(arguments: [
        ["prune", "--to", "0", "--idle-floor", "0s", "--force-limit"],
        ["prune", "--key", "example.test/image:1", "--idle-floor", "0s", "--force-limit"],
        ["warm", "example.test/new:1"],
    ])
    func nothingIsAskedOfAPodmanWithAnotherStore(command: [String]) throws {
        let directory = try TemporaryDirectory()
        let larder = try larder(in: directory)
        let podman = try Podman(root: directory.path + "/other", in: directory)
        let state = try #require(larder.state)
        let result = try run(
            Program.path, ["--state", state.path + "/state"] + larder.options + command)
        #expect(result.status == 1)
        #expect(result.errors.contains("the socket's Podman has another store"))
        #expect(result.errors.contains(directory.path + "/other"))
        #expect(asked(directory).isEmpty)
        withExtendedLifetime(podman) {}
    }

    /// The same directory by another name is the same store.
    @Test(arguments: ["storage", "elsewhere"])
    func theStoreIsKnownByWhateverName(name: String) throws {
        let directory = try TemporaryDirectory()
        let larder = try larder(in: directory)
        let podman = try Podman(root: directory.path + "/" + name, in: directory)
        _ = try larder("prune", "--to", "0", "--idle-floor", "0s", "--force-limit")
        #expect(asked(directory).contains("DELETE"))
        withExtendedLifetime(podman) {}
    }
}
