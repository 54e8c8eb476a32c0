"""Pauses all jobs now and then, and compares every figure with the own count."""

import sqlite3
import time

import events
import walks as own

FIRST, PAUSE = 60, 200


def loop(place, daemon, scrapes, walks):
    """Comparisons until the time is over, the last one at its end."""
    began = time.time() - (time.monotonic() - place.began)
    next_at = place.began + FIRST
    while place.goes_on(120):
        time.sleep(0.5)
        if time.monotonic() >= next_at:
            pause(place, daemon, scrapes, walks, began)
            next_at = time.monotonic() + PAUSE
    pause(place, daemon, scrapes, walks, began)
    place.until = time.monotonic()


def pause(place, daemon, scrapes, walks, began):
    """Waits until nobody works, compares, and lets all go on."""
    place.open.clear()
    with place.turn:
        end = time.monotonic() + 400
        while place.working and time.monotonic() < end and not place.stopped.is_set():
            time.sleep(0.2)
        try:
            if place.working:
                place.note("jobs do not end")
            else:
                compare(place, daemon, scrapes, walks, began)
        finally:
            place.open.set()


def compare(place, daemon, scrapes, walks, began):
    """Compares after a scan of each volume; anew where something changed the volumes meanwhile."""
    wrong = []
    for attempt in range(4):
        samples = scanned(place, daemon, scrapes)
        if samples is None:
            wrong = ["the figures of a scan did not come"]
            continue
        walks.look()
        pairs = figures(place, walks, began)
        walks.look()
        if figures(place, walks, began) != pairs:
            wrong = ["the volumes never stood still"]
            continue
        wrong = [f"{name}: {samples.get(key)} told, {value} counted" for name, key, value in pairs
                 if samples.get(key) != value]
        place.count("comparisons", len(pairs))
        # A prune that began after the scrape is seen by the own walk and not yet told.
        if not wrong:
            break
        time.sleep(3)
    place.count("checkpoints")
    place.count("differences", len(wrong))
    for line in wrong:
        place.note(line)


def scanned(place, daemon, scrapes):
    """The samples after a scan of both volumes that began now; None where they do not come in time."""
    end, asked = time.monotonic() + 120, set()
    now = time.time()
    while time.monotonic() < end and not place.stopped.is_set():
        for volume in {"build", "images"} - asked:
            if daemon.request("scan", volume):
                asked.add(volume)
        samples = scrapes.scrape() or {}
        stamps = [samples.get(("larder_scan_timestamp_seconds", f'volume="{name}"'), 0) for name in ("build", "images")]
        runs = [value for key, value in samples.items() if key[0] == "larder_activity_running"]
        if min(stamps) > now and not any(runs):
            # The figures are looked at once a second.
            read = samples[("larder_figures_timestamp_seconds", "")]
            if read >= max(stamps) and settled(place, read):
                return samples
        time.sleep(1)
    return None


def settled(place, read):
    """Whether nothing was recorded after the figures were read."""
    index = sqlite3.connect(f"file:{place.state}/larder.db?mode=ro", uri=True, timeout=10)
    try:
        (last,) = index.execute(
            "SELECT max(t) FROM (SELECT max(finished_at) t FROM scans UNION ALL SELECT max(finished_at) FROM runs)"
        ).fetchone()
    finally:
        index.close()
    return last <= read * 1e9 + 1e6


def figures(place, walks, began):
    """The name, the sample's key and the own value of everything that is compared."""
    pairs = [("used bytes of build", ("larder_volume_used_bytes", 'volume="build"'),
              own.du(str(place.cache), {str(place.cache / ".larder/trash")}))]
    numbers, sizes = walks.sums()
    for pool in own.POOLS:
        labels = f'volume="build",pool="{pool}"'
        pairs += [
            (f"entries of {pool}", ("larder_pool_entries", labels), numbers[pool]),
            (f"bytes of {pool}", ("larder_pool_bytes", labels), sizes[pool]),
            (f"evictions of {pool}", ("larder_evictions_total", labels), walks.evicted[pool]),
            (f"evicted bytes of {pool}", ("larder_evicted_bytes_total", labels), walks.evicted_bytes[pool]),
            (f"misses of {pool}", ("larder_misses_total", labels), walks.fetched[pool]),
        ]
    walks.events.look()
    counts = events.count(walks.events, began)
    place.counts["events"] = counts["events"]
    labels = 'volume="images",pool="images"'
    pairs += [
        (f"{name} of images", (f"larder_{name}_total", labels), counts[name]) for name in ("hits", "misses", "evictions")]
    return pairs
