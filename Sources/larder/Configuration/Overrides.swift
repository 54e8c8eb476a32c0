import CacheModel

/// What flags and environment say, the flags first.
struct Overrides {
    private let flags: [String: (flag: String, text: String)]
    private let environment: [String: String]

    /// Takes the flags, and the variables whose names begin with `LARDER_`.
    ///
    /// An empty variable counts as none.
    init(flags: ConfigurationFlags, environment: [String: String]) {
        self.flags = flags.values
        self.environment = environment.filter { $0.key.hasPrefix("LARDER_") && !$0.value.isEmpty }
    }

    /// The value that overrides the file's, and where it came from.
    func value(_ key: String) -> (text: String, origin: ConfigurationOrigin)? {
        if let (flag, text) = flags[key] { return (text, .flag(flag)) }
        let variable = ConfigurationKeys.variable(key)
        return environment[variable].map { ($0, .environment(variable)) }
    }

    /// A sentence for each variable that begins like ours and is none.
    ///
    /// It is no error: in Kubernetes, variables come from elsewhere. Those of a Service called `larder`, or
    /// `larder-…`, are passed over in silence.
    var warnings: [String] {
        let known = ConfigurationKeys.inEnvironment.map(ConfigurationKeys.variable)
        let strange = environment.keys.filter { !known.contains($0) && !Self.isServiceLink($0) }
        return strange.sorted().map { name in
            let cure = nearest(name, among: known).map { "did you mean \($0)?" }
            return "the variable \(quotable(name)) is unknown and ignored; "
                + (cure ?? "'larder config show' names those that are known")
        }
    }

    // The names that the kubelet sets for Services (`pkg/kubelet/envvars/envvars.go`).
    private static func isServiceLink(_ name: String) -> Bool {
        name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.hasSuffix("_PORT")
            || ["_TCP", "_UDP", "_SCTP"].contains { name.contains($0) } && name.contains("_PORT_")
    }
}
