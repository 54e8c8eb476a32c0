import Foundation
import TestSupport
import Testing

/// What the report says of a real store, held against its records read by Python and against `du`.
@Suite(.enabled(if: Testbed.shared != nil, "\(Testbed.absence)"), .serialized)
struct ImageReportTests {
    private let own: OwnTestbed
    private var testbed: Testbed { own.testbed }
    private let larder: Program

    init() throws {
        own = try OwnTestbed("--no-builds")
        larder = Program(
            store: try own.testbed.setting("STORAGE"), socket: try own.testbed.setting("LARDER_SOCKET"))
    }

    private func podman(_ arguments: String...) throws -> String {
        try run("/usr/bin/env", ["python3", Testbed.program, "podman", testbed.directory] + arguments)
            .checked().output.trimmingCharacters(in: .newlines)
    }

    private func report() throws -> JSON {
        try larder("scan").checked()
        return try larder.json("report")
    }

    @Test func eachImagesBytesAreThoseOfItsLayers() throws {
        let script = """
            import json, sys
            root = sys.argv[1]
            layers = {l['id']: l for l in json.load(open(root + '/vfs-layers/layers.json'))}
            images = json.load(open(root + '/vfs-images/images.json'))
            def chain(top):
                found = []
                while top: found.append(top); top = layers[top].get('parent')
                return found
            stored = lambda l: sum(layers[x].get('diff-size', 0) for x in chain(l))
            holders = {}
            for image in images:
                for layer in chain(image['layer']): holders.setdefault(layer, set()).add(image['id'])
            for image in images:
                all = sum(stored(l) for l in chain(image['layer']))
                own = sum(stored(l) for l in chain(image['layer']) if len(holders[l]) == 1)
                print(image['names'][0], all, own)
            print('total', sum(stored(l) for l in layers), sum(l.get('diff-size', 0) for l in layers.values()))
            """
        let storage = try testbed.setting("STORAGE")
        let expected = try run("/usr/bin/python3", "-c", script, storage).checked().output
        let report = try report()
        let images = report.volume("images")["images"].array
        var lines = images.map {
            "\($0["key"].string ?? "") \($0["bytes"].integer ?? 0) \($0["exclusive_bytes"].integer ?? 0)"
        }
        let (stored, unique) = (report["images"]["stored_bytes"], report["images"]["unique_bytes"])
        lines.append("total \(stored.integer ?? 0) \(unique.integer ?? 0)")
        #expect(lines.sorted() == expected.split(separator: "\n").map(String.init).sorted())
        for image in images {
            let shared = (image["bytes"].integer ?? 0) - (image["exclusive_bytes"].integer ?? 0)
            #expect(image["shared_bytes"].integer == shared)
            // A base image of others would free nothing, and the rest was pulled this week: no command is named.
            #expect(image["reclaim"].isNull)
        }
    }

    @Test func containersAtOnceAreCountedFromTheEventLogs() throws {
        let app = try testbed.setting("IMAGE_APP_A")
        _ = try podman("run", "--rm", app, "true")
        let both = try (1...2).map { _ in try podman("run", "--detach", app, "sleep", "300") }
        let copies = try run(
            "/usr/bin/python3", "-c",
            """
            import json, subprocess, sys
            root = sys.argv[1]
            found = [c['layer'] for c in json.load(open(root + '/vfs-containers/containers.json'))]
            paths = [root + '/vfs/dir/' + layer for layer in found]
            out = subprocess.run(['du', '-s', '--apparent-size', '-B1', *paths], capture_output=True, text=True)
            print(len(found), sum(int(line.split()[0]) for line in out.stdout.splitlines()))
            """, try testbed.setting("STORAGE")
        ).checked().output.split(separator: " ").compactMap { Double($0.trimmingCharacters(in: .newlines)) }
        let running = try report()["images"]["containers"]
        #expect(copies.first == 2 && running["now"].integer == 2 && running["peak"].integer == 2)
        let (bytes, measured) = (Double(running["peak_bytes"].integer ?? 0), copies.last ?? 0)
        #expect(abs(bytes - measured) / measured < 0.05, "\(bytes) against du's \(measured)")
        for container in both { _ = try podman("rm", "--force", "--time", "0", container) }
        _ = try podman("run", "--rm", app, "true")
        let later = try report()["images"]["containers"]
        #expect(later["now"].integer == 0 && later["peak"].integer == 2)
        #expect(later["evidence"].string == "podman-events" && later["confidence"].string == "medium")
    }
}
