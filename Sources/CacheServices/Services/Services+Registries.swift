import CacheIndex
import CacheModel
import Caches
import Glibc
import PodmanClient
import Reporting

extension Services {
    /// Asks the registries which tags moved since they were pulled; pulls nothing and takes no lock.
    ///
    /// - Throws: `Failure` and the errors of the parts below; what one image lacks is in the report.
    package func drift(_ warmUp: WarmUp) async throws -> ServiceResult<DriftReport> {
        let registry = try registryClient(try authFile())
        let index = warmUp.top == nil ? nil : try index(readOnly: true)
        let check = DriftCheck(
            store: try ImageStoreReader(of: warmUp.volume).read(), registry: registry)
        let list = try warmUp.list(index).map { DriftCheck.Request(reference: $0.reference, why: $0.why) }
        let images = try await check.run(list.isEmpty && warmUp.top == nil ? check.allNames : list)
        let unknown = images.count { $0.result == .unknown }
        return ServiceResult(
            DriftReport(volume: warmUp.volume.name, images: images),
            unknown == 0 ? nil : unknown == images.count ? .failed : .inPart)
    }
}

extension Services {
    /// The image store to warm.
    package func imageStore(named name: String?) throws -> Volume {
        let stores = try presentVolumes(named: name).present.filter { $0.kind == .imageStore }
        guard let store = stores.first else {
            throw Failure(
                code: .failed, message: "no image store is mounted",
                hint: "mount one, or name its path with --image-root")
        }
        guard stores.count == 1 else {
            throw Failure.usage(
                "several image stores: \(stores.map(\.name).joined(separator: ", ")); choose with --volume")
        }
        return store
    }

    /// The registries' credentials; nil where none are configured.
    func authFile() throws -> AuthFile? {
        guard let path = configuration.warm.authFile else { return nil }
        do {
            let file = try AuthFile(contentsOf: path)
            warn([file.warning].compactMap { $0 })
            return file
        } catch {
            throw Failure(code: .configuration, message: "\(error)", hint: error.hint)
        }
    }

    /// Asks registries as Podman does, with what is configured.
    func registryClient(_ auth: AuthFile?) throws -> RegistryClient {
        let certificates = RegistryCertificates.podmans()
        warn(certificates.warnings)
        return RegistryClient(registries: try registriesFile(), auth: auth, certificates: certificates)
    }

    /// Where Podman finds registries.
    func registriesFile() throws -> RegistriesFile {
        guard let path = configuration.warm.registriesFile else { return RegistriesFile() }
        if path == WarmConfiguration.usualRegistriesFile, access(path, F_OK) != 0 { return RegistriesFile() }
        do {
            return try RegistriesFile(contentsOf: path)
        } catch {
            throw Failure(
                code: .configuration, message: "\(error)",
                hint: "mount the sidecar's registries.conf there, or set warm.registries_file to none")
        }
    }
}
