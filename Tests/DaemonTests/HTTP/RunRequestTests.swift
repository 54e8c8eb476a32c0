import Foundation
import TestSupport
import Testing

@testable import Daemon

@Suite struct RunRequestTests {
    private static let token = "0123456789abcdefXYZ"

    private func post(
        _ bed: WebFixture, _ body: String, token: String? = token, type: String = "application/json"
    ) async throws -> WebAnswer {
        var options = ["-X", "POST", "-H", "Content-Type: \(type)", "--data-binary", body]
        if let token { options += ["-H", "Authorization: Bearer \(token)"] }
        return try await bed.ask("/api/v1/runs", options)
    }

    @Test func withoutATokenFileNothingCanBeAskedFor() async throws {
        let bed = try await WebFixture()
        let answer = try await post(bed, #"{"activity":"prune"}"#)
        #expect(answer.status == 405)
        #expect(answer.headers["allow"] == "GET, HEAD")
        #expect(bed.control.asked.withLock { $0.isEmpty })
        try await bed.stop()
    }

    @Test func whoeverHasTheTokenMayAsk() async throws {
        let bed = try await WebFixture(token: true)
        #expect(try await post(bed, #"{"activity":"prune","volume":"build"}"#).status == 202)
        #expect(try await post(bed, #"{"activity":"scan","volume":null}"#).status == 202)
        #expect(
            try await post(bed, #"{"activity":"warm"}"#, type: "application/json; charset=utf-8").status
                == 202)
        #expect(bed.control.asked.withLock { $0 } == ["prune build", "scan all", "warm all"])
        bed.control.refusal.withLock { $0 = .busy(.scan) }
        #expect(try await post(bed, #"{"activity":"prune"}"#).status == 409)
        bed.control.refusal.withLock { $0 = .unknownVolume("x") }
        #expect(try await post(bed, #"{"activity":"prune","volume":"x"}"#).status == 404)
        for refusal in [RequestRefusal.stopping, .loading] {
            bed.control.refusal.withLock { $0 = refusal }
            #expect(try await post(bed, #"{"activity":"prune"}"#).status == 503)
        }
        try await bed.stop()
    }

    @Test(arguments: [nil, "", "0123456789abcdefXY", "0123456789abcdefXYZ0", "0123456789abcdefXYz"])
    func whoeverHasNoneMayNot(token: String?) async throws {
        let bed = try await WebFixture(token: true)
        let answer = try await post(bed, #"{"activity":"prune"}"#, token: token)
        #expect(answer.status == 401)
        #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
        #expect(bed.control.asked.withLock { $0.isEmpty })
        try await bed.stop()
    }

    @Test(arguments: [
        #"{"activity":"delete"}"#, #"{"activity":"verify"}"#, #"{"activity":"prune","force":true}"#, "[]",
        #"{"activity":7}"#, "{", "", #"{"volume":"build"}"#,
    ])
    func anythingElseIsRefused(body: String) async throws {
        let bed = try await WebFixture(token: true)
        #expect(try await post(bed, body).status == 400)
        #expect(bed.control.asked.withLock { $0.isEmpty })
        try await bed.stop()
    }

    @Test func aFormOfAnotherSiteCannotAsk() async throws {
        let bed = try await WebFixture(token: true)
        for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
            #expect(try await post(bed, #"{"activity":"prune"}"#, type: type).status == 415)
        }
        #expect(try await bed.ask("/api/v1/runs", "-X", "OPTIONS", "-H", "Origin: http://x").status == 405)
        #expect(bed.control.asked.withLock { $0.isEmpty })
        try await bed.stop()
    }

    @Test func theFileIsReadAgainAndMustBeKept() async throws {
        let bed = try await WebFixture(token: true)
        let other = "another-token-of-20-b"
        try bed.directory.shell("chmod 0600 token; echo \(other) > token")
        #expect(try await post(bed, #"{"activity":"prune"}"#).status == 401)
        #expect(try await post(bed, #"{"activity":"prune"}"#, token: other).status == 202)
        for spoil in [
            "chmod 0644 token", "chmod 0620 token", "rm token", "echo short > token; chmod 0600 token",
        ] {
            try bed.directory.shell(spoil)
            let answer = try await post(bed, #"{"activity":"prune"}"#, token: other)
            #expect(answer.status == 503)
            #expect(!answer.body.contains(bed.directory.path))
        }
        #expect(bed.control.asked.withLock { $0 } == ["prune all"])
        try await bed.stop()
    }

    @Test func comparingLooksAtEveryByte() {
        let token = Array("0123456789abcdef".utf8)
        #expect(BearerToken.areEqual(token, token))
        for place in token.indices {
            var other = token
            other[place] ^= 1
            #expect(!BearerToken.areEqual(other, token))
        }
        #expect(!BearerToken.areEqual(token + token, token))
        #expect(!BearerToken.areEqual([], token))
        #expect(!BearerToken.areEqual([], []))
    }
}
