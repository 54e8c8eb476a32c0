extension VolumeScan {
    /// What of the used bytes no entry has.
    package var unmanagedBytes: ByteCount { unmanagedTotal(of: usedBytes, entries.lazy.map(\.bytes), layers) }
}

extension VolumeUsage {
    /// What of the used bytes no entry has.
    package var unmanagedBytes: ByteCount { unmanagedTotal(of: usedBytes, entries.lazy.map(\.bytes), layers) }
}

private func unmanagedTotal(
    of used: ByteCount, _ entries: some Sequence<ByteCount>, _ layers: [ScannedLayer]
) -> ByteCount {
    // Images share layers: what a store holds besides them is not the difference of both sums.
    let managed =
        layers.isEmpty
        ? entries.reduce(ByteCount.zero, +)
        : layers.lazy.filter { $0.images > 0 || $0.containers > 0 }
            .reduce(ByteCount.zero) { $0 + $1.storedBytes }
    return max(.zero, used - managed)
}
