"""Scrapes the metrics every second, in both formats by turns."""

import re
import subprocess
import time

OPEN = "application/openmetrics-text; version=1.0.0"
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
CHECK_EVERY = 20


class Scrapes:
    """What the scrapes showed."""

    def __init__(self, place, daemon):
        self.place, self.daemon = place, daemon
        self.good = self.missed = self.checked = 0
        self.longest = 0
        self.counters = {}

    def loop(self):
        while self.place.goes_on():
            self.scrape()
            time.sleep(1)

    def scrape(self):
        """One scrape; gives the samples, None where there was none to be had."""
        isOpen = self.good % 2 == 1
        began = time.monotonic()
        status, text = self.daemon.ask("/metrics", headers={"Accept": OPEN if isOpen else "text/plain"})
        if status != 200:
            self.missed += 1
            if status not in (0, 503):
                self.place.note(f"a scrape is answered with {status}: {text[:200]}")
            return None
        self.longest = max(self.longest, time.monotonic() - began)
        self.good += 1
        if isOpen and not text.endswith("# EOF\n"):
            self.place.note("a scrape in OpenMetrics has no end")
        samples = self.parsed(text)
        self.compare(samples)
        if not isOpen and self.good % CHECK_EVERY == 1:
            self.check(text)
        return samples

    def parsed(self, text):
        """Every sample by its name and labels."""
        samples = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            match = SAMPLE.match(line)
            if not match:
                self.place.note(f"a line of a scrape is no sample: {line!r}")
                continue
            key = (match[1], match[2] or "")
            if key in samples:
                self.place.note(f"a scrape has {key} twice")
            samples[key] = float(match[3])
        return samples

    def compare(self, samples):
        """No counter goes back, in none of the daemon's lives."""
        for key, value in samples.items():
            if not key[0].endswith("_total"):
                continue
            if value < self.counters.get(key, 0):
                self.place.note(f"the counter {key} went from {self.counters[key]} to {value}")
            self.counters[key] = value

    def check(self, text):
        """What promtool says."""
        result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.checked += 1
        if result.returncode != 0 or result.stderr.strip():
            self.place.note(f"promtool: {(result.stdout + result.stderr)[:400]}")
