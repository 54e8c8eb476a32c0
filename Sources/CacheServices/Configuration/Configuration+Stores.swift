import CacheModel
import Foundation

extension Configuration {
    /// The configuration, with what Podman's own files in this container say of the image stores: the driver, and the
    /// additional stores.
    ///
    /// What is configured counts more.
    func knowingStores(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Configuration {
        guard volumes.contains(where: { $0.kind == .imageStore }) else { return self }
        let files = PodmanFiles.read(environment: environment)
        let roots = ["graphroot", "rootless_storage_path"].compactMap { files.storage[$0] }
        var known = self
        for place in known.volumes.indices
        where known.volumes[place].kind == .imageStore && roots.contains(known.volumes[place].path) {
            if known.volumes[place].driver == nil, let driver = files.storage["driver"], !driver.isEmpty {
                known.volumes[place].driver = driver
            }
            if known.volumes[place].additionalStores.isEmpty {
                known.volumes[place].additionalStores = files.additionalStores
            }
        }
        return known
    }
}
