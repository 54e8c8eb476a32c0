"""The ways to pull some images: by Podman itself, over the API of its service, and by Larder."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

JOB_UID = 1001


class Ways:
    """All ways to pull into one testbed's store. Each gives phases: a name, and its seconds."""

    def __init__(self, bed, larder, env):
        self.bed, self.larder, self.env = bed, larder, env
        state = json.loads((bed / "state.json").read_text())
        self.pod = next(part["pid"] for part in state["processes"] if part["name"] == "larder")
        self.all = {
            "podman pull": self.podman_itself,
            "podman --remote pull": self.podman_remote,
            "the API alone": self.api,
            "larder, 1 at once": lambda images: self.warm(images, 1),
            "larder, 2 at once": lambda images: self.warm(images, 2),
            "larder, 4 at once": lambda images: self.warm(images, 4),
        }

    def podman_itself(self, references):
        """The command, without the service, in the service's pod: one process for each image."""
        private = self.bed / "run" / "larder"
        settings = {
            "PATH": os.environ["PATH"], "HOME": private / "home", "XDG_RUNTIME_DIR": private,
            "TMPDIR": private / "tmp", "CONTAINERS_CONF": private / "containers.conf",
            "CONTAINERS_STORAGE_CONF": private / "storage.conf",
            "CONTAINERS_REGISTRIES_CONF": private / "registries.conf",
        }
        within = ["nsenter", f"--target={self.pod}", "--mount", "--ipc", "--pid", "--wdns=/"]
        user = ["setpriv", f"--reuid={JOB_UID}", f"--regid={JOB_UID}", "--init-groups"]
        for reference in references:
            command = [*within, *user, "podman", "pull", "--quiet", reference]
            subprocess.run(
                command, env={key: str(value) for key, value in settings.items()}, check=True, capture_output=True
            )
        return {}

    def remote(self, *arguments, check=True):
        """The Podman client against Larder's service."""
        command = ["podman", "--remote", "--url", f"unix://{self.env['LARDER_SOCKET']}", *arguments]
        return subprocess.run(command, check=check, capture_output=True, text=True)

    def podman_remote(self, references):
        """The client, which asks the service: one process for each image."""
        for reference in references:
            self.remote("pull", "--quiet", reference)
        return {}

    def api(self, references):
        """The requests that Larder sends, one after another, and nothing else."""
        for reference in references:
            connection = http.client.HTTPConnection("podman", timeout=300)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(self.env["LARDER_SOCKET"])
            query = urllib.parse.urlencode({"policy": "missing", "reference": reference})
            connection.request("POST", f"/v4.0.0/libpod/images/pull?{query}")
            last = json.loads(connection.getresponse().read().splitlines()[-1])
            connection.close()
            if "error" in last:
                sys.exit(f"{reference}: {last['error']}")
        return {}

    def warm(self, references, parallel):
        """By Larder, that many at once, with an index of its own that knows nothing of the images."""
        with tempfile.TemporaryDirectory() as state:
            configuration = Path(state) / "larder.yaml"
            configuration.write_text(
                f"state: {state}\nwarm: {{parallel: {parallel}, per_registry: {parallel},"
                f" registries_file: {self.bed}/run/larder/registries.conf}}\n"
                "volumes:\n- {name: images, kind: image-store, "
                f"path: {self.env['STORAGE']}, limit: 1000Gi, socket: 'unix://{self.env['LARDER_SOCKET']}'}}\n"
            )
            command = [self.larder, "--config", str(configuration), "warm", *references]
            begin = time.monotonic()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            first = last = begin
            said = []
            for line in process.stderr:
                said.append(line)
                last = time.monotonic()
                if first == begin:
                    first = last
            if process.wait():
                sys.exit("".join(said))
            return {"before": first - begin, "pulls": last - first, "after": time.monotonic() - last}
