import CacheModel
import Foundation
import PodmanClient

/// What the daemon does by schedule, by pressure or on request.
package enum Activity: String, Sendable, CaseIterable {
    case scan, prune, warm, verify, report
}

/// When the daemon does what, and how.
package struct DaemonConfiguration: Sendable, Equatable {
    /// When each activity comes; nil for never by itself.
    package var scan: CronSchedule? = CronSchedule("17 * * * *")
    package var prune: CronSchedule? = CronSchedule("43 1 * * *")
    package var warm: CronSchedule? = CronSchedule("13 5 * * 1-5")
    package var verify: CronSchedule?
    package var report: CronSchedule? = CronSchedule("29 6 * * 1")
    /// The zone of the clock that the schedules go by.
    package var timeZone: TimeZone = .gmt
    /// How far activities are moved from their schedules, and how that is chosen.
    package var jitter: Span = .zero
    package var jitterKind: Jitter.Kind = .fixed
    /// How many volumes are worked on at once.
    package var parallel = 2
    /// How often the fill of the volumes and their event logs are looked at.
    package var pressureInterval: Span = .seconds(5)
    package var eventInterval: Span = .seconds(1)
    /// How long activities may take to come to an end when the daemon is to stop.
    package var gracePeriod: Span = .seconds(25)

    /// Whether nothing is done by itself or on request: the server only shows what is known.
    package private(set) var onlyShows = false

    /// Where the dashboard, the metrics and the API are served; nil for nowhere.
    package var listen: ListenAddress? = .standard
    /// The file with the bearer token that lets runs be asked for over HTTP; nil keeps that closed.
    package var tokenFile: String?

    /// Puts it together.
    package init(
        scan: CronSchedule? = CronSchedule("17 * * * *"), prune: CronSchedule? = CronSchedule("43 1 * * *"),
        warm: CronSchedule? = CronSchedule("13 5 * * 1-5"), verify: CronSchedule? = nil,
        report: CronSchedule? = CronSchedule("29 6 * * 1"), timeZone: TimeZone = .gmt, jitter: Span = .zero,
        jitterKind: Jitter.Kind = .fixed, parallel: Int = 2, pressureInterval: Span = .seconds(5),
        eventInterval: Span = .seconds(1), gracePeriod: Span = .seconds(25),
        listen: ListenAddress? = .standard, tokenFile: String? = nil
    ) {
        self.scan = scan
        self.prune = prune
        self.warm = warm
        self.verify = verify
        self.report = report
        self.timeZone = timeZone
        self.jitter = jitter
        self.jitterKind = jitterKind
        self.parallel = parallel
        self.pressureInterval = pressureInterval
        self.eventInterval = eventInterval
        self.gracePeriod = gracePeriod
        self.listen = listen
        self.tokenFile = tokenFile
    }

    /// Leaves nothing that is done by itself or on request.
    package mutating func onlyShow() {
        onlyShows = true
        (scan, prune, warm, verify, report, tokenFile) = (nil, nil, nil, nil, nil, nil)
    }

    /// The schedules there are.
    package var schedules: [Activity: CronSchedule] {
        [Activity.scan: scan, .prune: prune, .warm: warm, .verify: verify, .report: report]
            .compactMapValues { $0 }
    }
}

/// Which images `warm` makes ready, and how.
package struct WarmConfiguration: Sendable, Hashable {
    /// An image on the list.
    package struct Image: Sendable, Hashable {
        /// Its name.
        package var reference: ImageReference
        /// When the registry is asked.
        package var policy: PullPolicy = .missing
        /// For which platform; nil for that of Podman's machine.
        package var platform: ImagePlatform?

        /// An image on the list.
        package init(reference: ImageReference, policy: PullPolicy = .missing, platform: ImagePlatform? = nil)
        {
            self.reference = reference
            self.policy = policy
            self.platform = platform
        }
    }

    /// The images, beside those that a command names or finds.
    package var images: [Image] = []
    /// How many are pulled at once.
    package var parallel = 2
    /// How many are pulled from one registry at once.
    package var perRegistry = 2
    /// How long one image may take.
    package var imageDeadline: Span = .minutes(15)
    /// How long all of them may take.
    package var runDeadline: Span = .hours(1)
    /// The Docker `config.json` with the registries' credentials; nil for none.
    package var authFile: String?
    /// The sidecar's `registries.conf`; nil for none.
    package var registriesFile: String? = WarmConfiguration.usualRegistriesFile

    /// Puts it together.
    package init(
        images: [Image] = [], parallel: Int = 2, perRegistry: Int = 2, imageDeadline: Span = .minutes(15),
        runDeadline: Span = .hours(1), authFile: String? = nil,
        registriesFile: String? = WarmConfiguration.usualRegistriesFile
    ) {
        self.images = images
        self.parallel = parallel
        self.perRegistry = perRegistry
        self.imageDeadline = imageDeadline
        self.runDeadline = runDeadline
        self.authFile = authFile
        self.registriesFile = registriesFile
    }

    /// Where Podman has it; it need not be there.
    package static let usualRegistriesFile = "/etc/containers/registries.conf"
}

/// How `verify` goes about its work.
package struct VerifyConfiguration: Sendable, Hashable {
    /// After how long no further entry is begun; nil for all of them.
    package var maxDuration: Span?
    /// How many bytes are read in a second; nil for as fast as it goes.
    package var maxRate: ByteCount?

    /// Puts it together.
    package init(maxDuration: Span? = nil, maxRate: ByteCount? = nil) {
        self.maxDuration = maxDuration
        self.maxRate = maxRate
    }
}
