import ArgumentParser
import CacheModel
import CacheServices
import Reporting

extension ValueFormat {
    /// Reads an argument of the command line as the configuration file would, with the same words where it is refused.
    ///
    /// - Throws: `ValidationError`.
    func argument(_ text: String) throws -> Value {
        if let value = read(text) { return value }
        throw ValidationError(advice(on: text))
    }
}

extension ValueFormat<ByteCount> {
    /// A size that may be zero.
    static var amount: Self {
        let format = ValueFormat<ByteCount?>.poolLimit
        return Self(
            accepted: "0, or a quantity such as 20Gi, 500M or 21474836480 (bytes, from 1048576 up)",
            read: { $0 == "0" ? .zero : $0 == "none" ? nil : format.read($0).flatMap { $0 } },
            guess: format.guess)
    }

    /// A size above zero.
    static var positiveSize: Self {
        let format = ValueFormat<ByteCount?>.poolLimit
        return Self(
            accepted: "a quantity such as 20Mi, 500M or 21474836480 (bytes, from 1048576 up)",
            read: { $0 == "none" ? nil : format.read($0).flatMap { $0 } }, guess: format.guess)
    }
}

extension ValueFormat<Span> {
    /// A length of time of at least one day.
    static var days: Self {
        Self(
            accepted: "at least one day, such as 30d or 2w, and at most 100 years",
            read: { Span($0).flatMap { $0 >= .days(1) ? $0 : nil } },
            guess: { Span.meant(by: $0, units: ["d"]) })
    }
}

extension ValueFormat<Int> {
    /// A number of images.
    static var images: Self {
        Self(
            accepted: "a whole number from 1 to 1000",
            read: { text in ValueFormat<Int>.count.read(text).flatMap { $0 <= 1000 ? $0 : nil } })
    }
}

extension ValueFormat<ColorChoice> {
    /// When colours are used.
    static var color: Self {
        let known = ColorChoice.allCases.map(\.rawValue)
        return Self(
            accepted: known.joined(separator: ", "), read: { ColorChoice(rawValue: $0) },
            guess: { nearest($0, among: known).map { "`\($0)`" } })
    }
}

extension ValueFormat<Bool> {
    /// Yes or no.
    static var truth: Self {
        Self(
            accepted: "true or false", read: { ["true": true, "false": false][$0] },
            guess: { ["yes": "`true`", "on": "`true`", "no": "`false`", "off": "`false`"][$0.lowercased()] })
    }
}

/// The option of every command that works on volumes.
struct VolumeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Only this volume.", valueName: "name"), completion: .custom(Completions.volumes))
    var volume: String?
}
