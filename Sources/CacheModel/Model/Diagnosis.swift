/// What `larder doctor` found, and what it means.
package struct Diagnosis: Sendable, Hashable {
    /// How one thing stands.
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// As it should be.
        case ok
        /// It works, but less well or less safely than it could.
        case warning
        /// Something does not work, or endangers jobs.
        case problem
        /// It could not be looked at.
        case unknown
    }

    /// What was looked at, in the order in which it is shown.
    package enum Area: String, Sendable, Hashable, CaseIterable {
        case process, mounts, evidence, state, store, podman, kernel, clock, runner
    }

    /// One thing that was looked at.
    package struct Finding: Sendable, Hashable {
        /// The part it belongs to.
        package var area: Area
        /// Its name for scripts, the same from release to release: `atime`.
        package var check: String
        /// How it stands.
        package var state: State
        /// What was seen.
        package var seen: String
        /// Why that matters; empty where all is well.
        package var why: String
        /// The one setting or command that puts it right; empty where all is well.
        package var cure: String

        /// Makes a finding of something that is as it should be.
        package init(_ area: Area, _ check: String, ok seen: String) {
            self.init(area, check, .ok, seen, why: "", cure: "")
        }

        /// Makes a finding from all it consists of.
        package init(
            _ area: Area, _ check: String, _ state: State, _ seen: String, why: String, cure: String
        ) {
            self.area = area
            self.check = check
            self.state = state
            self.seen = seen
            self.why = why
            self.cure = cure
        }
    }

    /// How much of Podman can run in a pod with these permissions.
    package enum Tier: String, Sendable, Hashable, CaseIterable {
        /// No Podman: Larder reads stores and reports.
        case observe = "O"
        /// A Podman with one user ID: pulls, removes, runs images that stay root.
        case single = "R"
        /// A Podman with many user IDs that shares the pod's `/proc`.
        case sharedProc = "B'"
        /// A Podman with many user IDs and a `/proc` of its own: runs any image, with mapped ports.
        case full = "B"

        /// What runs there, in a few words.
        package var runs: String {
            switch self {
            case .observe: "no Podman: Larder scans and reports"
            case .single: "Podman with one user ID: pulls and removes images, runs those that stay root"
            case .sharedProc: "Podman with many user IDs, in the pod's own /proc: weaker isolation"
            case .full: "Podman with many user IDs: any image, with mapped ports"
            }
        }
    }

    /// The setting that keeps from the next tier.
    package struct Obstacle: Sendable, Hashable {
        /// The tier that it keeps from.
        package var tier: Tier
        /// What is in the way.
        package var seen: String
        /// What to change.
        package var cure: String

        /// Makes an obstacle.
        package init(to tier: Tier, _ seen: String, cure: String) {
            self.tier = tier
            self.seen = seen
            self.cure = cure
        }
    }

    /// The tier that is reached.
    package var tier: Tier
    /// The one setting that stands in the way of the next tier; nil at the highest.
    package var obstacle: Obstacle?
    /// What was looked at, in the order of the areas.
    package var findings: [Finding]

    /// Makes a diagnosis.
    package init(tier: Tier, obstacle: Obstacle?, findings: [Finding]) {
        self.tier = tier
        self.obstacle = obstacle
        self.findings = findings
    }

    /// The findings in that state.
    package func count(_ state: State) -> Int { findings.count { $0.state == state } }
}
