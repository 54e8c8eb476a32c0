"""A Maven repository that remembers its requests and can hold one back: Debian's, as the testbed serves it."""

import re
import threading
import time
from http.server import ThreadingHTTPServer

from layout import MAVEN_REPOSITORY
from maven_mirror import MirrorHandler

# Of a Maven artifact: group, artifact, version. Checksums and metadata are fetched under the same lock.
COORDINATES = re.compile(r"/(.+)/([^/]+)/([^/]+)/\2-\3[^/]*\.(?:pom|jar)")


class ArtifactServer:
    """Serves in the background for as long as the process lives."""

    def __init__(self, address):
        self.requests = []
        # Whether the file lock of its coordinates was held as each artifact was asked for.
        self.locked = {}
        self.held = threading.Event()
        self.released = "nothing was held"
        self.condition = None
        self.locks = None
        handler = type("Handler", (Handler,), {"server_of_test": self, "roots": (str(MAVEN_REPOSITORY),)})
        server = ThreadingHTTPServer((address, 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://{address}:{server.server_port}/"

    def artifacts(self):
        """The artifacts that were asked for, in order."""
        return [path for path in self.requests if COORDINATES.fullmatch(path)]

    def hold_first(self, condition, locks):
        """Answers the first request only when the condition holds; looks at the locks in that directory."""
        self.condition = condition
        self.locks = locks

    def note(self, path):
        """Writes a request down, and waits if it is the one to be held."""
        is_first = not self.requests
        self.requests.append(path)
        if self.locks and (match := COORDINATES.fullmatch(path)):
            group, artifact, version = match.groups()
            held = any(name.startswith("artifact~") and {group.replace("/", "."), artifact, version} <= set(
                name.removesuffix(".lock").split("~")) for name in held_locks(self.locks))
            self.locked[path] = self.locked.get(path, True) and held
        if is_first and self.condition:
            self.held.set()
            deadline = time.monotonic() + 120
            while not self.condition():
                if time.monotonic() > deadline:
                    self.released = "the other process never came"
                    return
                time.sleep(0.02)
            self.released = "as expected"


class Handler(MirrorHandler):
    """Notes each GET before it is answered."""

    def do_GET(self):
        """Answers a GET."""
        self.server_of_test.note(self.path)
        super().do_GET()

    def log_message(self, format, *arguments):
        """Says nothing: requests are in the server's list."""


def held_locks(folder):
    """The names of the files in a directory on which some process has a lock for writing, by the kernel's word."""
    with open("/proc/locks") as file:
        fields = [line.split() for line in file]
    inodes = {each[5].rpartition(":")[2] for each in fields if each[1] == "POSIX" and each[3] == "WRITE"}
    names = set()
    for path in folder.glob("*") if folder.exists() else ():
        try:
            if str(path.stat().st_ino) in inodes:
                names.add(path.name)
        except FileNotFoundError:
            # A lock's file goes with the lock.
            continue
    return names
