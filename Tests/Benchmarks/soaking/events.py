"""The own count of image uses: Podman's event logs, and the contract's rules in thirty lines.

The first container within an hour after a job's pull belongs to that pull's miss; the first one after a pull of
Larder's, or of a time before anyone counted, is a hit. An image that is pulled while it is there stays what it was.
"""

import collections
import json
from datetime import datetime

HOUR = 3600


class Kept:
    """Every line that Podman's logs ever had: Podman drops the older half of a log that has grown to 1 MB."""

    def __init__(self, directory):
        self.directory = directory
        self.lines = {"job": {}, "larder": {}}

    def look(self):
        """Takes in what is new; to be called more often than a log grows by half."""
        for pod, lines in self.lines.items():
            with open(self.directory / f"{pod}.log") as file:
                lines.update(dict.fromkeys(line for line in file if line.endswith("}\n")))

    def read(self):
        """All events of images and containers in the order of their times."""
        found = []
        for pod, lines in self.lines.items():
            for line in list(lines):
                event = json.loads(line)
                if event["Type"] not in ("image", "container"):
                    continue
                stamp = event["Time"].rstrip("Z")
                whole, _, part = stamp.partition(".")
                at = datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{part or 0}")
                found.append((at, pod, event))
        return sorted(found, key=lambda each: each[0])


def count(kept, since):
    """Hits, misses, removals by Larder and containers after `since`, by kind."""
    pulled, awaiting, counts = {}, set(), collections.Counter()
    for at, pod, event in kept.read():
        counts["events"] += 1
        kind, status = event["Type"], event["Status"]
        if kind == "image" and status == "pull" and event["Name"] not in pulled:
            name = event["Name"]
            pulled[name] = at
            if at > since and pod == "job":
                awaiting.add(name)
                counts["misses"] += 1
        elif kind == "image" and status == "remove":
            awaiting.discard(event["Name"])
            if pulled.pop(event["Name"], None) is not None and pod == "larder":
                counts["evictions"] += at > since
        elif kind == "container" and status == "create":
            name = event["Image"]
            counts["containers"] += at > since
            isPullers = name in awaiting and at <= pulled.get(name, 0) + HOUR
            awaiting.discard(name)
            counts["hits"] += at > since and not isPullers
    return counts
