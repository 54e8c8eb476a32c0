import CacheModel

/// Judges what was found: from facts to findings, without looking at anything itself.
///
/// The rules are those of the measured matrix of rootless Podman in pods, and of what sharing a store does to
/// running containers; each was seen with Podman 4.3.1.
struct Doctor {
    let facts: DoctorFacts

    /// The tier that is reached, what stands in the way of the next, and each thing that was looked at.
    func diagnosis() -> Diagnosis {
        let (tier, obstacle) = reachedTier()
        let findings = process() + volumes() + state() + stores() + files() + kernel() + clock()
        let areas = Diagnosis.Area.allCases
        let sorted = findings.enumerated().sorted { a, b in
            let (first, second) = (areas.firstIndex(of: a.element.area), areas.firstIndex(of: b.element.area))
            return (first ?? 0, a.offset) < (second ?? 0, b.offset)
        }.map(\.element)
        return Diagnosis(tier: tier, obstacle: obstacle, findings: sorted)
    }

    private func process() -> [Diagnosis.Finding] {
        var found: [Diagnosis.Finding] = []
        let who = "uid \(facts.process.uid)" + (facts.process.user.map { " (\($0))" } ?? "")
        if facts.process.uid == 0 {
            found.append(
                .init(
                    .process, "user", facts.process.isInCluster ? .problem : .warning, "runs as root",
                    why: "What Larder makes on a volume belongs to root, and jobs cannot change it.",
                    cure: "run it as the jobs' user: runAsUser: 1001"))
        } else {
            found.append(.init(.process, "user", ok: "runs as \(who)"))
        }
        if facts.process.home == nil {
            found.append(
                .init(
                    .process, "home", .warning, "HOME is not set or is no directory",
                    why: "Podman needs one to start, and Larder keeps its state below it by default.",
                    cure: "set HOME=/tmp"))
        }
        return found
    }

    private func state() -> [Diagnosis.Finding] {
        let state = facts.state
        guard state.isWritable else {
            return [
                .init(
                    .state, "state-writable", .problem, "\(state.path) cannot be written",
                    why: "The index lives there: nothing can be scanned or remembered.",
                    cure: "mount a volume of its own there, or name a directory with --state")
            ]
        }
        if let failure = state.indexFailure {
            return [
                .init(
                    .state, "index", .problem, failure, why: "Reports and prunes rest on the index.",
                    cure: "run 'larder scan': a damaged index is set aside and begun anew")
            ]
        }
        var found = [Diagnosis.Finding(.state, "state-writable", ok: "\(state.path) can be written")]
        if let network = state.network {
            found.append(
                .init(
                    .state, "state-disk", .warning, "the state directory is on \(network)",
                    why:
                        "SQLite relies on locks that network file systems keep badly; Larder uses its rollback "
                        + "journal there.", cure: "give the state a small block volume (ReadWriteOnce)"))
        } else {
            found.append(
                .init(.state, "state-disk", ok: "on a local disk, with SQLite's rollback journal"))
        }
        if let shared = facts.volumes.first(where: { $0.mount?.device == state.device && $0.mount != nil }) {
            found.append(
                .init(
                    .state, "state-apart", .warning, "the state is on the disk of \(shared.volume.name)",
                    why: "When that cache is full, Larder cannot write down what it prunes.",
                    cure: "keep the state on a volume of its own"))
        }
        if state.exists, !state.hasReserve || state.available < ByteCount(64 << 20) {
            found.append(
                .init(
                    .state, "state-reserve", .warning,
                    "\(state.available) free\(state.hasReserve ? "" : ", and no reserve set aside")",
                    why: "On a full disk, runs cannot be recorded.", cure: "make room on that disk"))
        }
        return found
    }

    private func clock() -> [Diagnosis.Finding] {
        // 2024-01-01: older than this program.
        if facts.now < Timestamp(seconds: 1_704_067_200) {
            return [
                .init(
                    .clock, "clock", .problem, "it is \(facts.now), by this machine's clock",
                    why: "Ages mean nothing, and entries would look unused.", cure: "set the clock (NTP)")
            ]
        }
        let ahead = facts.volumes.compactMap(\.lastScan).filter { $0 > facts.now + .minutes(5) }
        if let last = ahead.max() {
            return [
                .init(
                    .clock, "clock", .problem, "the last scan was at \(last), which is still to come",
                    why: "The clock went back: prunes are refused by more than a day of it.",
                    cure: "set the clock; if it is right now, run 'larder scan'")
            ]
        }
        return [.init(.clock, "clock", ok: "\(facts.now)")]
    }
}
