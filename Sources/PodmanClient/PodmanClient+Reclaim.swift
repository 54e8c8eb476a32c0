import CacheModel
import Foundation
import NIOHTTP1

extension PodmanClient {
    /// Loads the images of an OCI archive (a tar); layers that the store holds already need not be in it.
    package func loadImages(_ archive: Data) async throws {
        let answer = try await connection.send(.POST, "images/load", body: archive)
        try check(answer, "POST images/load")
    }

    /// Removes a container's record and its copy of the image, without force.
    ///
    /// Podman refuses that for a running container of its own, and knows nothing of the processes of others on
    /// the same store: whoever calls this must.
    ///
    /// - Returns: why it was refused; nil where Podman says that it is gone.
    package func removeContainer(_ id: String) async throws -> String? {
        let target = "containers/\(encoded(id))?force=false"
        let answer = try await connection.send(.DELETE, target)
        switch answer.status {
        case 404: return nil
        case 409: return reason(of: answer)
        default: try check(answer, "DELETE \(target)")
        }
        return nil
    }
}
