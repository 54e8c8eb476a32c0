#!/usr/bin/env python3
"""Checks that the dashboard and the alerts name only metrics that Larder has.

    metrics.py deploy/monitoring Sources/Reporting
"""

import json
import re
import sys
from pathlib import Path


def known(sources):
    """The names that the renderer writes, from its text."""
    text = "".join(file.read_text() for file in Path(sources).glob("*.swift"))
    names = set(re.findall(r'"(larder_[a-z_]+)"', text))
    names |= {f"larder_volume_{name}_bytes" for name in re.findall(r'size\("([a-z]+)"', text)}
    names |= {f"larder_report_{name}" for name in re.findall(r'family\("([a-z_]+)"', text)}
    counters = set(re.findall(r'count\("([a-z_]+)"', text))
    return names | {f"larder_{name}_total" for name in counters} | {f"{name}_total" for name in names}


def main(monitoring, sources):
    folder = Path(monitoring)
    dashboard = json.loads((folder / "dashboard.json").read_text())
    used = set(re.findall(r"\blarder_[a-z_]+", json.dumps(dashboard) + (folder / "rules.yaml").read_text()))
    missing = sorted(used - known(sources))
    for name in missing:
        print(f"no metric is called {name}")
    identifiers = [panel["id"] for panel in dashboard["panels"]]
    if len(set(identifiers)) != len(identifiers):
        missing.append("two panels share an id")
    sys.exit(1 if missing or len(used) < 15 else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
