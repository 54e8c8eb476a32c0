#!/usr/bin/env python3
"""Ends `larder serve` with SIGTERM at random moments of a prune, and checks what is left.

    stop_serve.py [--count N] [--seed S]

The daemon begins with a prune that it missed. It must end with 0, and afterwards the independent check of
volumes.py looks: each entry is whole in the cache or whole in the trash, the index agrees, nothing is stray.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import volumes

CONFIGURATION = """
state: {state}
idle_floor: 0s
limits: {{bytes_share: 100%}}
daemon:
  schedules: {{scan: none, prune: "@hourly", warm: none, report: none}}
volumes:
- {{name: build, kind: build-cache, path: {root}, high: 20Ki, low: 4Ki}}
"""
ENTRIES = 60


class Bench:
    """A volume with a prune that is overdue."""

    def __init__(self, directory):
        self.root, self.state = directory / "cache", directory / "state"
        self.kept_root, self.kept_state = directory / "kept-cache", directory / "kept-state"
        self.file, self.log = directory / "larder.yaml", directory / "log"
        for path in (self.root, self.state, self.kept_root, self.kept_state):
            path.mkdir(parents=True)
        for number in range(ENTRIES):
            volumes.add_entry(self.root, f"e{number}", str(number), size=3000)
        self.before = volumes.entries(self.root)
        volumes.larder(self.root, self.state, "scan")
        subprocess.run(
            ["sqlite3", f"{self.state}/larder.db", "INSERT INTO activities VALUES ('prune', 'build', 0, 0, 0, '')"],
            check=True)
        self.file.write_text(CONFIGURATION.format(root=self.root, state=self.state))
        volumes.copy_into(self.root, self.kept_root)
        volumes.copy_into(self.state, self.kept_state)

    def reset(self):
        """Back to the beginning."""
        for path, kept in ((self.root, self.kept_root), (self.state, self.kept_state)):
            volumes.empty(path)
            volumes.copy_into(kept, path)

    def start(self):
        """Starts the daemon."""
        with open(self.log, "wb") as log:
            return subprocess.Popen(
                [str(volumes.LARDER), "--config", str(self.file), "--log-level", "info", "serve", "--listen", "none"],
                stderr=log)

    def wait_for(self, words, process):
        """Waits until the log holds the words."""
        end = time.monotonic() + 60
        while words not in (text := self.log.read_text()):
            if time.monotonic() > end or process.poll() is not None:
                process.kill()
                raise SystemExit(f"never logged {words!r}:\n{text}")
            time.sleep(0.001)
        return time.monotonic()

    def check(self):
        """What the next runs make of the remains, and what is wrong with it."""
        wrong = [f"at once: {w}" for w in volumes.check_entries(self.root, self.before, False)]
        scan = volumes.larder(self.root, self.state, "scan")
        if scan.returncode != 0:
            wrong.append(f"the next scan ends with {scan.returncode}: {scan.stderr.strip()}")
        wrong += volumes.check_entries(self.root, self.before, False)
        return wrong + volumes.check_index(self.root, self.state) + volumes.check_strays(self.root, self.state)


def main():
    """Ends the daemon at moments spread over the time of a whole prune."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    directory = Path(tempfile.mkdtemp(prefix="larder-stop-"))
    wrong, cut = [], 0
    try:
        bench = Bench(directory)
        process = bench.start()
        began = bench.wait_for("prune of build: begins", process)
        length = bench.wait_for("evicted", process) - began
        process.send_signal(signal.SIGTERM)
        process.wait()
        evicted = ENTRIES - len(volumes.entries(bench.root))
        if evicted < ENTRIES // 2:
            raise SystemExit(f"a whole prune evicts {evicted} entries only\n{bench.log.read_text()}")
        for number in range(options.count):
            bench.reset()
            process = bench.start()
            bench.wait_for("prune of build: begins", process)
            time.sleep(dice.uniform(0, length * 1.1))
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            if code != 0:
                wrong.append(f"stop {number}: exit {code}: {bench.log.read_text()}")
            cut += 0 < ENTRIES - len(volumes.entries(bench.root)) < evicted
            wrong += [f"stop {number}: {w}" for w in bench.check()]
    finally:
        shutil.rmtree(directory)
    for line in wrong[:40]:
        print(f"VIOLATION {line}")
    print(f"{options.count} stops, {cut} of them between two moves, {len(wrong)} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
