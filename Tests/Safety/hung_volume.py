#!/usr/bin/env python3
"""A file system that hangs holds up its own volume alone: neither another one, nor the pages, nor the stop.

    hung_volume.py

`larder serve` watches two volumes, one of them through a FUSE file system (bindfs) that is stopped by SIGSTOP: like
an NFS server that is gone, it answers no call any more. Then the other volume is filled beyond its critical level, and
each page is asked for. Afterwards a daemon begins while the file system hangs: it looks into the volume before it can
know, and each page must come all the same. Each volume has a file system of its own: what other tests write would be
taken for pressure. Needs root and /dev/fuse.
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
# What needs nothing of the volume that hangs.
COMMANDS = [
    "status", "list --volume well", "scan --volume well", "plan --volume well", "prune --volume well", "metrics",
    "trash list --volume well",
]
PATIENCE = 180


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


class Daemon:
    """A daemon on a free port; the end of its log is shown where something does not come."""

    def __init__(self, directory):
        self.log = directory / "log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [volumes.LARDER, "serve", f"--config={directory}/larder.yaml", "--listen=127.0.0.1:0"],
                stdout=output, stderr=output)

    def __enter__(self):
        try:
            self.expect('"address":"')
        except AssertionError as error:
            self.__exit__(AssertionError, error, None)
            raise
        self.address = re.search(r'"address":"([^"]+)"', self.log.read_text()).group(1)
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, AssertionError):
            for line in self.log.read_text().splitlines()[-20:]:
                print(json.loads(line)["message"] if line.startswith("{") else line, file=sys.stderr)
        self.process.kill()
        self.process.wait(PATIENCE)

    def expect(self, text):
        """Waits for a text in the log."""
        until(lambda: text in self.log.read_text(), f"'{text}'")

    def expect_pages(self, pages):
        """Waits until each page comes: the first report is still being made when it is asked for early."""
        for page in pages:
            until(lambda page=page: asked(self.address, page) == 200, f"/{page}")

    def stop(self):
        """Asks it to stop, and waits for a good end."""
        self.process.terminate()
        until(lambda: self.process.poll() is not None, "the end")
        assert self.process.returncode == 0, "it did not end well"


def hang_under_it(directory, file_system):
    """The file system begins to hang under a daemon that runs."""
    with Daemon(directory) as daemon:
        daemon.expect_pages(["readyz"])
        daemon.expect("scan of hung")
        file_system.send_signal(signal.SIGSTOP)
        try:
            daemon.expect("hung is unavailable")
            for number in range(40):
                volumes.add_entry(directory / "well", f"e{number}", "1", size=40_000)
            # What is read before pressure counts is what a scan counted: it comes by itself.
            daemon.expect("prune of well")
            daemon.expect_pages(PAGES)
            assert file_system.poll() is None
            daemon.stop()
        finally:
            file_system.send_signal(signal.SIGCONT)
    return len(PAGES)


def hang_before_it(directory, file_system):
    """A daemon begins, with an index of both volumes, after the file system began to hang."""
    file_system.send_signal(signal.SIGSTOP)
    try:
        with Daemon(directory) as daemon:
            daemon.expect_pages(PAGES)
            daemon.stop()
        for words in COMMANDS:
            subprocess.run(
                [volumes.LARDER, *words.split(), f"--config={directory}/larder.yaml"], timeout=PATIENCE,
                stdout=subprocess.DEVNULL, check=True)
    finally:
        file_system.send_signal(signal.SIGCONT)
    return len(PAGES)


def main():
    with tempfile.TemporaryDirectory(prefix="larder-hung-") as name:
        directory = Path(name)
        for part in ("state", "well", "hung", "behind"):
            (directory / part).mkdir()
        file_system = None
        try:
            for part in ("well", "behind"):
                subprocess.run(
                    ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", directory / part], check=True)
                volumes.add_entry(directory / part, "first", "1", size=3000)
            (directory / "larder.yaml").write_text(CONFIGURATION.format(directory))
            file_system = subprocess.Popen(["bindfs", "-f", directory / "behind", directory / "hung"])
            until((directory / "hung").is_mount, "the mount")
            pages = hang_under_it(directory, file_system) + hang_before_it(directory, file_system)
            print(f"hung_volume: {pages} pages answered, the other volume pruned, 0 violations")
        finally:
            for part in ("hung", "well", "behind"):
                subprocess.run(["umount", "--lazy", directory / part], check=False)
            if file_system:
                # Killed, as SIGTERM may be blocked in whatever a test began.
                file_system.kill()
                file_system.wait(PATIENCE)


if __name__ == "__main__":
    main()
