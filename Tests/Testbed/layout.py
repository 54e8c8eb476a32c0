"""Where everything of one testbed lies, and how its parts find each other.

A testbed is one directory. `env` in it is for shells and tests, `state.json`
says which processes belong to it.
"""

import json
import os
import shlex
from pathlib import Path

HERE = Path(__file__).resolve().parent
JOB_UID = 1001
JOB_USER = "ci"
MAVEN_REPOSITORY = Path("/usr/share/maven-repo")

# The image references without the registry; the names are what `pull` accepts.
IMAGES = {
    "base": "ci/base:1",
    "app-a": "ci/app-a:1",
    "app-b": "ci/app-b:1",
    "redis": "ci/redis:7",
    "pg": "ci/pg:15",
    "big": "ci/big:1",
    "huge": "ci/huge:1",
}


class TestbedError(Exception):
    """What is wrong and where, what to do about it, and the exit code."""

    def __init__(self, message, hint=None, code=1):
        super().__init__(message)
        self.hint = hint
        self.code = code


class Layout:
    """The paths of one testbed below its directory."""

    def __init__(self, directory):
        self.root = Path(directory).resolve()
        self.cache = self.root / "cache"
        self.repository = self.cache / ".m2" / "repository"
        self.storage = self.root / "podman-data" / "storage"
        self.events = self.root / "podman-data" / "events"
        self.sockets = self.root / "sockets"
        self.log = self.root / "log"
        self.run = self.root / "run"
        self.home = self.root / "home"
        self.mirror = self.root / "mirror"
        self.registry = self.root / "registry"
        self.projects = self.root / "projects"
        self.settings = self.root / "maven-settings.xml"
        self.env_file = self.root / "env"
        self.state_file = self.root / "state.json"

    def socket(self, pod):
        """The Podman socket of a pod, `job` or `larder`."""
        return self.sockets / f"{pod}.sock"

    def state(self):
        """The record of the running servers; an error where there is no testbed."""
        try:
            return json.loads(self.state_file.read_text())
        except FileNotFoundError:
            raise TestbedError(
                f"{self.root} holds no testbed: {self.state_file.name} is missing",
                f"start one with `testbed.py up {self.root}`",
            ) from None
        except ValueError as error:
            raise TestbedError(f"{self.state_file} is damaged: {error}", "remove the directory by hand") from None

    def require(self, part):
        """The state, if `part` ("registry", "mirror" or "pods") was brought up."""
        state = self.state()
        if not state["servers"].get(part):
            option = "--no-builds" if part == "mirror" else "--no-images"
            raise TestbedError(f"the testbed in {self.root} runs no {part}", f"bring it up without {option}")
        return state

    def write_state(self, state):
        """Replaces `state.json` in one step, so that a reader sees all or nothing."""
        temporary = self.state_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(state, indent=2) + "\n")
        os.replace(temporary, self.state_file)

    def write_env(self, state):
        """Writes `env`: one KEY=VALUE a line, fit for a shell to source."""
        servers = state["servers"]
        values = {
            "LARDER_TESTBED": self.root,
            "JOB_UID": JOB_UID,
            "LOG": self.log,
        }
        if servers.get("mirror"):
            values |= {
                "CACHE": self.cache,
                "MAVEN_REPOSITORY": self.repository,
                "GRADLE_USER_HOME": self.cache,
                "MAVEN_SETTINGS": self.settings,
                "MIRROR": self.mirror,
                "MIRROR_URL": servers["mirror"],
                "PROJECTS": self.projects,
            }
        if servers.get("registry"):
            values |= {
                "STORAGE": self.storage,
                "JOB_SOCKET": self.socket("job"),
                "LARDER_SOCKET": self.socket("larder"),
                "JOB_EVENTS": self.events / "job.log",
                "LARDER_EVENTS": self.events / "larder.log",
                "REGISTRY": servers["registry"],
            }
            for name, reference in IMAGES.items():
                key = "IMAGE_" + name.upper().replace("-", "_")
                values[key] = f"{servers['registry']}/{reference}"
        lines = [f"{key}={shlex.quote(str(value))}\n" for key, value in values.items()]
        self.env_file.write_text("".join(lines))


def shared_cache():
    """A directory that outlives testbeds: built images, the Python environment of the job."""
    base = os.environ.get("XDG_CACHE_HOME")
    path = Path(base) / "larder-testbed" if base else Path("/var/tmp/larder-testbed")
    path.mkdir(parents=True, exist_ok=True)
    return path
