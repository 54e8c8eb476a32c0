"""What Larder's documentation says of a volume, written down a second time and as plainly as can be.

Rules (HowItDecides.md, Sizing.md): a scan each night says of every entry that was used since the last one whether
it was there then (a hit) or had to be fetched (a miss). After it comes a prune. Where more than `high` of the size is
used, what was used least recently goes first, until `low` or less is used. What was used within the idle floor,
what is protected, and what belongs to no pool stay. One prune takes no more than half of what is used.
"""

import bisect

DAY = 86_400


class Volume:
    def __init__(self, size, high=0.85, low=0.7, floor=DAY, protected=(), unmanaged=0, most=0.5):
        self.size, self.high, self.low, self.floor, self.most = size, high, low, floor, most
        self.protected, self.unmanaged = set(protected), unmanaged
        self.bytes, self.used_at = {}, {}
        # What nobody uses any more: it goes first.
        self.unused = 0

    def used(self):
        return self.unmanaged + self.unused + sum(self.bytes.values())

    def settle(self, phase, second, evicts):
        """Makes the volume as full as it is so far between two prunes: with what was used last, or with what nobody
        uses any more."""
        low, high = int(self.low * self.size), int(self.high * self.size)
        least = low if evicts else max(low, self.used())
        level = least + int(phase * (high - least))
        if high <= least:
            return
        if self.used() <= level:
            self.unused += level - self.used()
            return
        for key in self.oldest():
            if self.used() <= level or self.used_at[key] > second - self.floor:
                break
            if key not in self.protected:
                del self.bytes[key], self.used_at[key]

    def use(self, second, key, size):
        """A job wants an artifact: whether it was there."""
        was_there = key in self.bytes
        self.bytes[key], self.used_at[key] = size, second
        return was_there

    def oldest(self):
        return sorted(self.bytes, key=lambda key: (self.used_at[key], -self.bytes[key], key))

    def prune(self, second):
        """Evicts; what went, with its bytes, in that order."""
        used = self.used()
        gone, allowed = [], self.most * used
        if used <= self.high * self.size:
            return gone
        freed = min(self.unused, used - self.low * self.size, allowed)
        self.unused -= freed
        for key in self.oldest():
            if used - freed <= self.low * self.size or self.used_at[key] > second - self.floor:
                break
            if key in self.protected:
                continue
            if freed + self.bytes[key] > allowed:
                break
            freed += self.bytes[key]
            gone.append(key)
        taken = [(key, self.bytes[key]) for key in gone]
        for key in gone:
            del self.bytes[key], self.used_at[key]
        return taken


class Record:
    """What scans and prunes write down: accesses `(second, key, bytes, hit)`, prunes `(second, [(key, bytes)])`."""

    def __init__(self):
        self.accesses, self.prunes = [], []

    def rate(self, since, until):
        """Hit rate over entries and over bytes of what scans saw in between."""
        hits = misses = hit_bytes = miss_bytes = 0
        for second, _, size, hit in self.accesses:
            if since < second <= until:
                hits, misses = hits + hit, misses + (not hit)
                hit_bytes, miss_bytes = hit_bytes + size * hit, miss_bytes + size * (not hit)
        return hits / max(1, hits + misses), hit_bytes / max(1, hit_bytes + miss_bytes)


#: A scan begins with each day, and the prune comes so many seconds after it.
AFTER_SCAN = 780


def play(volume, uses, first, last, interval=DAY, prunes=True, record=None):
    """Plays the uses of days `first` to `last`, the scans at their interval and the prune of each night."""
    record = Record() if record is None else record
    seen = {}

    def scan():
        for key, (second, size, hit) in sorted(seen.items(), key=lambda item: (item[1][0], item[0])):
            record.accesses.append((second, key, size, hit))
        seen.clear()

    def prune(second):
        record.prunes.append((second, volume.prune(second)))

    moments = [(second, scan) for second in range(first * DAY + interval, last * DAY + 1, interval)]
    if prunes:
        moments += [
            (day * DAY + AFTER_SCAN, lambda day=day: prune(day * DAY + AFTER_SCAN)) for day in range(first, last)]
    moments.sort(key=lambda moment: moment[0])
    place = 0
    begin, end = (bisect.bisect_left(uses, (day * DAY,)) for day in (first, last))
    for second, key, size in uses[begin:end]:
        while place < len(moments) and moments[place][0] <= second:
            moments[place][1]()
            place += 1
        hit = volume.use(second, key, size)
        # What was fetched since the last scan is a miss, however often it was used after that.
        seen[key] = (second, size, seen[key][2] if key in seen else hit)
    for _, act in moments[place:]:
        act()
    return record
