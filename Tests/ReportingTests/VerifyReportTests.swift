import CacheModel
import Reporting
import Testing

/// The text of a verification as people see it, whole.
struct VerifyReportTests {
    private var volume: VerifiedVolume {
        var volume = VerifiedVolume(name: "build")
        volume.entries = 1200
        volume.entriesLeft = 34
        volume.checked = 3600
        volume.bytes = gibibytes(2)
        volume.unverifiable = [
            "there is no checksum beside it": 12, "a pom in UTF-16, without a checksum": 1,
        ]
        return volume
    }

    private func damaged(_ id: Int64, refusal: String? = nil, isQuarantined: Bool = false) -> DamagedFile {
        DamagedFile(
            entryID: id, pool: .maven, key: "org.example:lib-\(id):1.0",
            path: ".m2/repository/org/example/lib-\(id)/1.0/lib-\(id)-1.0.jar", kind: .truncated,
            detail: "its end is missing: no central directory", isQuarantined: isQuarantined,
            refusal: refusal)
    }

    private func report(_ volume: VerifiedVolume, quarantine: Bool = false) -> VerifyReport {
        VerifyReport(
            run: "20260101T000000Z-0000", quarantine: quarantine, duration: .seconds(9), volumes: [volume])
    }

    @Test func nothingDamaged() {
        let text = """
            No damage so far: 3,600 files are what they should be.

            build
              1,200 entries looked at, 2.0 GiB read; 34 entries left for the next run
              nothing to compare with
                12 files: there is no checksum beside it
                1 file: a pom in UTF-16, without a checksum

            """
        #expect(report(volume).text(color: false, now: now) == text)
    }

    @Test func quarantinedInPart() {
        var volume = volume
        volume.unverifiable = [:]
        volume.damaged = [
            damaged(1, isQuarantined: true),
            damaged(2, refusal: Protection.idleFloor.text),
            damaged(3, refusal: Protection.locallyInstalled.text),
        ]
        volume.unsettled = [.init(path: "a/b-1.jar", reason: "it changed while it was read")]
        volume.unreadable = [.init(path: "a/c-1.jar", reason: "Input/output error")]
        let text = """
            Damaged: 3 of 3,600 files; 1 entry moved into the trash; 2 left in place; 1 file
            written lately could not be judged; 1 path not readable.

            build
              1,200 entries looked at, 2.0 GiB read; 34 entries left for the next run
              truncated  org.example:lib-1:1.0
                .m2/repository/org/example/lib-1/1.0/lib-1-1.0.jar
                its end is missing: no central directory
                moved into the trash
              truncated  org.example:lib-2:1.0
                .m2/repository/org/example/lib-2/1.0/lib-2-1.0.jar
                its end is missing: no central directory
                left in place: used or fetched within the idle floor
              truncated  org.example:lib-3:1.0
                .m2/repository/org/example/lib-3/1.0/lib-3-1.0.jar
                its end is missing: no central directory
                left in place: installed locally, cannot be fetched again
              not readable
                a/c-1.jar
                  Input/output error
              still changing, looked at again by the next run
                a/b-1.jar
                  it changed while it was read

            The next build fetches them again. To bring them back as they were:
            larder trash restore 20260101T000000Z-0000
            What was used or written lately may be in use. When no job is running:
            larder verify --quarantine --idle-floor 0s
            What was installed locally must be built and installed again.

            """
        #expect(report(volume, quarantine: true).text(color: false, now: now) == text)
    }

    /// A command is only told where it moves something, and then how much.
    @Test(
        arguments: [
            ([nil, nil], "fetch them again: larder verify --quarantine"),
            ([nil, Protection.locallyInstalled.text], "fetch 1 of the 2 damaged entries again"),
            ([Protection.locallyInstalled.text, Protection.foreignFiles.text], nil),
        ] as [([String?], String?)])
    func aQuarantineIsPromisedWhereItMovesSomething(refusals: [String?], promise: String?) {
        var volume = volume
        volume.damaged = refusals.enumerated().map { damaged(Int64($0), refusal: $1) }
        let text = report(volume).text(width: 500, color: false, now: now)
        #expect(text.contains("--quarantine") == (promise != nil))
        if let promise { #expect(text.contains(promise)) }
        for refusal in refusals.compactMap({ $0 }) {
            #expect(text.contains("a quarantine would leave it in place: \(refusal)"))
        }
    }

    @Test func damagedImages() {
        var volume = VerifiedVolume(name: "images")
        volume.entries = 2
        volume.checked = 2
        volume.damaged = [
            DamagedFile(
                entryID: 7, pool: .images, key: "registry.example/app:1", path: "7777", kind: .missingPart,
                detail: "its layer abc is gone")
        ]
        let text = """
            Damaged: 1 of 2 files.

            images
              2 images looked at
              missing-part  registry.example/app:1
                its layer abc is gone

            Remove a damaged image with podman rmi while no job uses it, then pull it again.

            """
        #expect(
            report(volume).text(color: false, now: now)
                == text.replacing("2 images looked at", with: "2 entries looked at, 0 B read"))
    }
}
