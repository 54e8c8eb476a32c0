"""Where a soak test works, what it has counted so far, and who may work when."""

import collections
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "Testbed"
TESTBED = TOOLS / "testbed.py"

CONFIGURATION = """\
state: {state}
log_level: info
idle_floor: 150s
limits: {{bytes_share: 100%}}
warm:
  images:
  - reference: {base}
  - reference: {app}
  registries_file: {registries}
daemon:
  schedules: {{scan: "* * * * *", prune: "*/2 * * * *", warm: "*/3 * * * *", verify: "*/5 * * * *",
    report: "*/5 * * * *"}}
  pressure_interval: 1s
  listen: unix:{socket}
  token_file: {token}
volumes:
- {{name: build, kind: build-cache, path: {build}, limit: 48Mi, high: 16Mi, low: 12Mi, critical: {critical}}}
- {{name: images, kind: image-store, path: {images}, high: 44Mi, low: 24Mi, socket: "unix://{podman}",
    events: {events}}}
"""


class Place:
    """The directories, the counters and the violations."""

    def __init__(self, testbed, larder, dice):
        self.testbed, self.larder, self.dice = testbed, larder, dice
        lines = (testbed / "env").read_text().splitlines()
        self.env = dict(line.split("=", 1) for line in lines if "=" in line)
        self.cache = Path(self.env["CACHE"])
        self.podman_socket = Path(self.env["LARDER_SOCKET"])
        self.events = Path(self.env["JOB_EVENTS"]).parent
        self.directory = Path(tempfile.mkdtemp(prefix="larder-soak-"))
        self.state, self.build = self.directory / "state", self.directory / "build"
        self.disk = self.directory / "disk"
        self.file, self.log = self.directory / "larder.yaml", self.directory / "log"
        self.socket, self.token = self.directory / "http.sock", self.directory / "token"
        self.lock = threading.Lock()
        self.counts, self.faults = collections.Counter(), collections.Counter()
        self.wrong = []
        self.began = self.until = 0
        self.stopped = threading.Event()
        # Jobs run while it is set; who works holds a place.
        self.open, self.working = threading.Event(), 0
        # One fault or one comparison at a time.
        self.turn = threading.Lock()
        self.open.set()

    def make(self):
        """Puts the build volume and the state on small disks of their own, and writes the configuration.

        Only this namespace sees the disk at the path of the testbed's cache, where the builds look for it; the
        daemon sees it at another path, which can go away.
        """
        make = [sys.executable, "-B", TOOLS / "filesystems.py", "make", self.disk, "--size", "96M", "--owner", "1001"]
        subprocess.run(make, check=True)
        subprocess.run(["cp", "-a", f"{self.cache}/.", self.disk], check=True)
        shutil.rmtree(self.disk / "lost+found")
        shutil.rmtree(self.disk / ".larder", ignore_errors=True)
        subprocess.run(["mount", "--bind", self.disk, self.cache], check=True)
        for path in (self.state, self.build):
            path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "soak", self.state], check=True)
        self.mount()
        self.token.write_text("soak-0123456789abcdef0123456789abcdef\n")
        self.token.chmod(0o600)
        self.configure()

    def mount(self):
        subprocess.run(["mount", "--bind", self.cache, self.build], check=True)

    def unmount(self):
        subprocess.run(["umount", "--lazy", self.build], check=True)

    def configure(self, critical="40Mi", more=""):
        """Writes the configuration."""
        self.file.write_text(CONFIGURATION.format(
            state=self.state, base=self.env["IMAGE_BASE"], app=self.env["IMAGE_APP_A"], socket=self.socket,
            token=self.token, build=self.build, images=self.env["STORAGE"], podman=self.podman_socket,
            events=self.events, registries=self.testbed / "run/larder/registries.conf", critical=critical) + more)

    def unmake(self, keep):
        """Takes everything away, or leaves it for a look."""
        if keep:
            kept = self.directory.with_name(self.directory.name + "-kept")
            shutil.copytree(self.directory, kept, ignore=lambda d, names: {"build", "disk", "disk.img", "http.sock"} & set(names))
            print(f"the state, the configuration and the log are in {kept}")
        own = (self.build, self.cache, self.state, self.disk)
        while mounted := [path for path in own if str(path) in mount_points()]:
            for path in mounted:
                subprocess.run(["umount", "--lazy", path], check=True)
        shutil.rmtree(self.directory)

    def note(self, text):
        """Notes a violation."""
        with self.lock:
            self.wrong.append(f"{time.strftime('%H:%M:%S')} {text}")
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def count(self, name, number=1):
        with self.lock:
            self.counts[name] += number

    def goes_on(self, reserve=0):
        """Whether there is time left."""
        return not self.stopped.is_set() and time.monotonic() + reserve < self.until

    def guarded(self, loop):
        """Runs a loop; its own failure is a violation, and ends all others."""
        try:
            loop()
        except Exception:
            self.note(f"the test itself failed: {traceback.format_exc()}")
            self.stopped.set()

    def begin_work(self):
        """Waits until jobs may run; false when the time is over."""
        while self.goes_on():
            with self.lock:
                if self.open.is_set():
                    self.working += 1
                    return True
            time.sleep(0.1)
        return False

    def end_work(self):
        with self.lock:
            self.working -= 1

    def run_testbed(self, command, *arguments):
        """Runs a command of the testbed."""
        argv = [sys.executable, "-B", TESTBED, command, self.testbed, *arguments]
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True, errors="replace")


def mount_points():
    """Where something is mounted in this namespace; a second mount of one file system is no other device."""
    with open("/proc/self/mountinfo") as file:
        return {line.split()[4] for line in file}
