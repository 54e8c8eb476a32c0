#!/usr/bin/env python3
"""Random schedules with the times they come at, by two implementations that share no code with Larder's.

    cron_oracle.py walk SEED COUNT       minute by minute through days around changes of the clock
    cron_oracle.py croniter SEED COUNT   by PyPI's croniter, in UTC, over years; exit 3 where it is not installed

Writes a line for each case: expression, zone, start and the next times, in seconds since 1970, tabs between.
"""

import datetime
import random
import sys
import zoneinfo

UTC = datetime.timezone.utc
# Northern, southern, half-hour and midnight changes, offsets with minutes, a zone without any change.
ZONES = [
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu",
    "Pacific/Chatham", "Europe/London", "America/St_Johns", "Africa/Cairo", "UTC", "Pacific/Auckland",
    "America/Havana", "Asia/Beirut",
]
BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
NAMES = {3: "jan feb mar apr may jun jul aug sep oct nov dec".split(), 4: "sun mon tue wed thu fri sat".split()}


def field(dice, place, common):
    """One field of a schedule."""
    low, high = BOUNDS[place]
    kind = dice.random()
    if kind < common:
        return "*"
    if kind < common + 0.1:
        return f"*/{dice.randint(1, max(2, high // 2))}"
    parts = []
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        first = dice.randint(low, high)
        if place in NAMES and dice.random() < 0.3:
            parts.append(dice.choice(NAMES[place]))
        elif dice.random() < 0.3 and first < high:
            # croniter takes `5-5` for a whole round.
            last = dice.randint(first + 1, high)
            parts.append(f"{first}-{last}" + (f"/{dice.randint(1, 5)}" if dice.random() < 0.5 else ""))
        else:
            parts.append(str(first))
    return ",".join(parts)


def values(text, place):
    """What a field stands for."""
    low, high = BOUNDS[place]
    found = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            ends = span.split("-")
            numbers = [NAMES[place].index(e) + low if not e.isdigit() else int(e) for e in ends]
            first, last = numbers[0], numbers[-1]
        found |= set(range(first, last + 1, int(step or 1)))
    return {v % 7 for v in found} if place == 4 else found


class Walk:
    """Asks of each minute on the wall whether the schedule wants it, as cron itself does."""

    def __init__(self, expression):
        self.fields = expression.split()
        self.sets = [values(f, n) for n, f in enumerate(self.fields)]
        self.interval = self.fields[0].startswith("*") or self.fields[1].startswith("*")

    def wants(self, wall):
        minutes, hours, days, months, weekdays = self.sets
        if wall.minute not in minutes or wall.hour not in hours or wall.month not in months:
            return False
        by_day, by_weekday = wall.day in days, wall.isoweekday() % 7 in weekdays
        if self.fields[2].startswith("*") or self.fields[4].startswith("*"):
            return by_day and by_weekday
        return by_day or by_weekday

    def times(self, zone, start, count, days):
        """The next times within so many days."""
        tz = zoneinfo.ZoneInfo(zone)
        found = []
        minute = datetime.timedelta(minutes=1)
        at = datetime.datetime.fromtimestamp(start // 60 * 60, UTC)
        before = at.astimezone(tz).replace(tzinfo=None)
        for _ in range(days * 1440):
            at += minute
            local = at.astimezone(tz)
            wall = local.replace(tzinfo=None, fold=0)
            hit = self.wants(wall) and (self.interval or local.fold == 0)
            skipped = before + minute
            while not self.interval and skipped < wall and not hit:
                hit = self.wants(skipped)
                skipped += minute
            before = wall
            if hit:
                found.append(int(at.timestamp()))
                if len(found) == count:
                    break
        return found


def changes(zone, year):
    """The hours of a year in which the zone's offset changes."""
    tz = zoneinfo.ZoneInfo(zone)
    at = datetime.datetime(year, 1, 1, tzinfo=UTC)
    found, before = [], at.astimezone(tz).utcoffset()
    while at.year == year:
        at += datetime.timedelta(hours=1)
        now = at.astimezone(tz).utcoffset()
        if now != before:
            found.append(int(at.timestamp()))
        before = now
    return found


def walk(dice, count):
    """Cases around changes of the clock."""
    near = {(zone, year): changes(zone, year) for zone in ZONES for year in (2024, 2025, 2026)}
    for _ in range(count):
        zone, year = dice.choice(ZONES), dice.choice([2024, 2025, 2026])
        middle = dice.choice(near[zone, year] or [1_750_000_000])
        start = middle + dice.randint(-2 * 86_400, 86_400)
        hour = ",".join(str(dice.randint(0, 4)) for _ in range(dice.choice([1, 1, 2])))
        dates = [field(dice, place, 0.8) for place in (2, 3, 4)]
        expression = " ".join(
            [field(dice, 0, 0.2), hour if dice.random() < 0.6 else field(dice, 1, 0.3), *dates])
        yield expression, zone, start, Walk(expression).times(zone, start, 4, 6)


def by_croniter(dice, count):
    """Cases of any kind, in UTC."""
    try:
        from croniter import croniter
    except ImportError:
        sys.exit(3)
    made = 0
    while made < count:
        expression = " ".join(field(dice, place, 0.35) for place in range(5))
        start = dice.randint(1_700_000_000, 1_900_000_000)
        try:
            times = croniter(expression, start, implement_cron_bug=True)
            found = [int(times.get_next(float)) for _ in range(4)]
        except Exception:
            continue  # A schedule that never comes.
        made += 1
        yield expression, "UTC", start, found


def main():
    kind, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    for expression, zone, start, times in (walk if kind == "walk" else by_croniter)(dice, count):
        print(expression, zone, start, *times, sep="\t")


main()
