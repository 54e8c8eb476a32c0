import CacheServices
import Foundation
import Hummingbird
import Reporting

extension WebResponder {
    /// What `POST /api/v1/runs` takes.
    private struct RunRequestBody: Decodable {
        var activity: String
        var volume: String?

        private enum Key: String, CodingKey, CaseIterable {
            case activity, volume
        }

        private struct AnyKey: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let known = Key.allCases.map(\.rawValue)
            let all = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
            guard all.allSatisfy(known.contains) else {
                throw WebError.malformed(
                    "unknown key in the body", "accepted: \(known.joined(separator: ", "))")
            }
            let values = try decoder.container(keyedBy: Key.self)
            activity = try values.decode(String.self, forKey: .activity)
            volume = try values.decodeIfPresent(String.self, forKey: .volume)
        }
    }

    /// The activities that may be asked for.
    private static let offered = APIDocument.requestable.compactMap { Activity(rawValue: $0) }

    /// Begins a run for whoever has the token.
    ///
    /// A page of another site cannot ask for one: the browser sends the token for nobody, and such a page
    /// cannot send JSON without asking first, which is never granted.
    func startRun(_ request: Request) async throws -> WebResponse {
        guard let file = settings.tokenFile else { throw WebError.method(allow: "GET, HEAD") }
        try authorize(request, BearerToken(path: file))
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        guard type?.filter({ $0 != " " }) == "application/json" else {
            throw WebError(
                status: .unsupportedMediaType, text: "the body must be JSON",
                hint: "send Content-Type: application/json")
        }
        let wish = try await self.wish(request)
        guard let activity = Activity(rawValue: wish.activity), Self.offered.contains(activity) else {
            throw WebError.malformed(
                "this activity cannot be requested",
                "write one of \(Self.offered.map(\.rawValue).joined(separator: ", "))")
        }
        do throws(RequestRefusal) {
            try await control.request(activity, volume: wish.volume)
        } catch {
            throw WebError(error)
        }
        logger.notice(
            "a run was requested", metadata: ["activity": "\(activity)", "volume": "\(wish.volume ?? "all")"])
        return .json(
            try RunRequest(activity: activity.rawValue, volume: wish.volume).json(), status: .accepted)
    }

    private func authorize(_ request: Request, _ token: BearerToken) throws {
        let isAdmitted: Bool
        do throws(BearerToken.Unusable) {
            isAdmitted = try token.admits(request.headers[.authorization])
        } catch {
            logger.error("\(error)")
            throw WebError.later("the token cannot be checked right now", seconds: 30)
        }
        guard isAdmitted else {
            throw WebError(
                status: .unauthorized, text: "a run needs the token",
                hint: "send it as Authorization: Bearer TOKEN",
                headers: [(.wwwAuthenticate, "Bearer realm=\"larder\"")])
        }
    }

    private func wish(_ request: Request) async throws -> RunRequestBody {
        do {
            let body = try await request.body.collect(upTo: 4096)
            return try JSONDecoder().decode(RunRequestBody.self, from: Data(body.readableBytesView))
        } catch let error as WebError {
            throw error
        } catch {
            throw WebError.malformed(
                "the body cannot be decoded", #"write {"activity": "prune", "volume": "build"}"#)
        }
    }
}

extension WebError {
    /// Why the daemon does not begin a run.
    fileprivate init(_ refusal: RequestRefusal) {
        switch refusal {
        case .unknownVolume:
            self.init(
                status: .notFound, text: "no volume has that name",
                hint: "leave volume out for all of them; /api/v1/status names them")
        case .busy(let activity):
            self.init(
                status: .conflict, text: "a \(activity.rawValue) is running on that volume",
                hint: "try again when it is done",
                headers: [(.retryAfter, "30")])
        case .stopping: self = .later("the daemon is stopping", seconds: 30)
        case .loading: self = .later("the daemon still reads the index", seconds: 2)
        }
    }
}
