#!/usr/bin/env python3
"""A file system that hangs holds up its own volume alone: neither another one, nor the pages, nor the stop.

    hung_volume.py

`larder serve` watches two volumes, one of them through a FUSE file system (bindfs) that is stopped by SIGSTOP: like
an NFS server that is gone, it answers no call any more. Then the other volume is filled beyond its critical level, and
each page is asked for. Needs root and /dev/fuse.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import volumes

CONFIGURATION = """
state: {0}/state
idle_floor: 0s
limits: {{bytes_share: 100%}}
daemon:
  pressure_interval: 1s
  grace_period: 10s
  schedules: {{scan: none, prune: none, warm: none, report: none}}
volumes:
- {{name: well, kind: build-cache, path: {0}/well, limit: 1Mi}}
- {{name: hung, kind: build-cache, path: {0}/hung, limit: 1Mi}}
"""
PAGES = ["healthz", "readyz", "metrics", "", "plan", "runs", "report", "api/v1/status"]
PATIENCE = 90


def until(found, what):
    """Waits until something holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found():
            return
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {PATIENCE} s")


def asked(address, page):
    """A page's status; it is asked for with a deadline."""
    try:
        return urllib.request.urlopen(f"http://{address}/{page}", timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


def check(directory, file_system):
    """Counts what was asked and answered while a volume hung."""
    log = directory / "log"
    with log.open("w") as output:
        daemon = subprocess.Popen(
            [volumes.LARDER, "serve", f"--config={directory}/larder.yaml", "--listen=127.0.0.1:0"],
            stdout=output, stderr=output)
    try:
        until(lambda: '"address":"' in log.read_text(), "an address")
        address = re.search(r'"address":"([^"]+)"', log.read_text()).group(1)
        until(lambda: asked(address, "readyz") == 200, "readiness")
        until(lambda: "scan of hung" in log.read_text(), "the first scan")
        file_system.send_signal(signal.SIGSTOP)
        until(lambda: "hung is unavailable" in log.read_text(), "word of the volume that hangs")
        for number in range(40):
            volumes.add_entry(directory / "well", f"e{number}", "1", size=40_000)
        # What is read before pressure counts is what a scan counted: it comes by itself.
        until(lambda: "prune of well" in log.read_text(), "a prune of the other volume")
        for page in PAGES:
            # The first report is still being made when the page is asked for early.
            until(lambda page=page: asked(address, page) == 200, f"/{page}")
        assert file_system.poll() is None
        daemon.terminate()
        assert daemon.wait(PATIENCE) == 0, "it did not end well"
        return len(PAGES)
    except AssertionError:
        for line in log.read_text().splitlines()[-12:]:
            print(json.loads(line)["message"] if line.startswith("{") else line, file=sys.stderr)
        raise
    finally:
        file_system.send_signal(signal.SIGCONT)
        daemon.kill()


def main():
    with tempfile.TemporaryDirectory(prefix="larder-hung-") as name:
        directory = Path(name)
        for part in ("state", "well", "hung", "behind"):
            (directory / part).mkdir()
        for part in ("well", "behind"):
            volumes.add_entry(directory / part, "first", "1", size=3000)
        (directory / "larder.yaml").write_text(CONFIGURATION.format(directory))
        file_system = subprocess.Popen(["bindfs", "-f", directory / "behind", directory / "hung"])
        try:
            until((directory / "hung").is_mount, "the mount")
            print(f"hung_volume: {check(directory, file_system)} pages answered, the other volume pruned, 0 violations")
        finally:
            # Killed, as SIGTERM may be blocked in whatever a test began.
            subprocess.run(["umount", "--lazy", directory / "hung"], check=False)
            file_system.kill()
            file_system.wait(PATIENCE)


if __name__ == "__main__":
    main()
