#!/usr/bin/env python3
"""How long warming six images takes, against the same pulls by Podman alone.

    warm.py TESTBED LARDER [ROUNDS]

TESTBED is a directory that Tests/Testbed/testbed.py brought up, LARDER the program. Each round pulls the same
six images of four layers in every way, in turn; the medians are compared, and only within one run. It does so
from the testbed's registry itself, where fetching costs nothing, and at 4 MB a second for each blob. `locked`
is the share of the time in which the lock of the store's layers was held for writing.
"""

import fcntl
import gzip
import hashlib
import io
import json
import os
import random
import shlex
import statistics
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

bed = Path(sys.argv[1])
larder = sys.argv[2]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
env = dict(shlex.split(line)[0].split("=", 1) for line in (bed / "env").read_text().splitlines())
NAMES = [f"bench/image-{number}" for number in range(6)]
MEGABYTE = 1_000_000


def send(method, path, body=None, kind="application/octet-stream"):
    """One request to the registry; gives the answer."""
    url = path if path.startswith("http") else f"http://{env['REGISTRY']}/v2/{path}"
    headers = {"Content-Type": kind} if body is not None else {}
    return urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method))


def push_blob(name, body):
    """Uploads a blob; gives its digest."""
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    place = send("POST", f"{name}/blobs/uploads/", b"").headers["Location"]
    send("PUT", f"{place}&digest={digest}", body)
    return digest


def layer(noise, number):
    """A layer of 8 MB in 200 files, half of which packs well."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for file in range(200):
            content = noise.randbytes(20_000) + bytes(20_000)
            info = tarfile.TarInfo(f"layer-{number}/file-{file}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return output.getvalue()


def push_image(name):
    """Makes an image of four layers and uploads it."""
    noise = random.Random(name)
    raw = [layer(noise, number) for number in range(4)]
    layers = []
    for part in raw:
        packed = gzip.compress(part, 1, mtime=0)
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        layers.append({"mediaType": kind, "digest": push_blob(name, packed), "size": len(packed)})
    digests = ["sha256:" + hashlib.sha256(part).hexdigest() for part in raw]
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": digests}}
    ).encode()
    kind = "application/vnd.oci.image.config.v1+json"
    document = {
        "schemaVersion": 2,
        "config": {"mediaType": kind, "digest": push_blob(name, config), "size": len(config)},
        "layers": layers,
    }
    body = json.dumps(document).encode()
    send("PUT", f"{name}/manifests/1", body, "application/vnd.oci.image.manifest.v1+json")


class LockWatch(threading.Thread):
    """Looks every two milliseconds whether somebody writes to the store's layers; takes no lock."""

    def __init__(self):
        super().__init__(daemon=True)
        self.file = os.open(f"{env['STORAGE']}/vfs-layers/layers.lock", os.O_RDONLY)
        self.looks = self.held = 0
        self.on = True

    def run(self):
        while self.on:
            wanted = struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
            found = struct.unpack("hhqqi", fcntl.fcntl(self.file, fcntl.F_GETLK, wanted))
            self.looks += 1
            self.held += found[0] != fcntl.F_UNLCK
            time.sleep(0.002)

    def share(self):
        """The share of looks that found the lock held."""
        self.on = False
        self.join()
        os.close(self.file)
        return self.held / max(1, self.looks)


def podman(*arguments, check=True):
    """The Podman client against Larder's service."""
    command = ["podman", "--remote", "--url", f"unix://{env['LARDER_SOCKET']}", *arguments]
    return subprocess.run(command, check=check, capture_output=True, text=True)


def pull_in_turn(references):
    """One after the other."""
    for reference in references:
        podman("pull", "--quiet", reference)


def warm(parallel):
    """By Larder, that many at once."""

    def run(references):
        with tempfile.TemporaryDirectory() as state:
            configuration = Path(state) / "larder.yaml"
            configuration.write_text(
                f"state: {state}\nwarm: {{parallel: {parallel}, per_registry: {parallel},"
                f" registries_file: {bed}/run/larder/registries.conf}}\n"
                "volumes:\n- {name: images, kind: image-store, "
                f"path: {env['STORAGE']}, limit: 1000Gi, socket: 'unix://{env['LARDER_SOCKET']}'}}\n"
            )
            command = [larder, "--config", configuration, "warm", *references]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode:
                sys.exit(f"{result.stdout}\n{result.stderr}")

    return run


WAYS = {
    "podman pull in turn": pull_in_turn, "larder, 1 at once": warm(1), "larder, 2 at once": warm(2),
    "larder, 4 at once": warm(4),
}


def measure(registry, first):
    """The seconds and the share of the lock of each way, once; each round begins with another way."""
    references = [f"{registry}/{name}:1" for name in NAMES]
    figures = {}
    ways = list(WAYS.items())
    for way, run in ways[first % len(ways) :] + ways[: first % len(ways)]:
        podman("rmi", "--force", *references, check=False)
        # What the one before has written must not be written while the next one is timed.
        os.sync()
        watch = LockWatch()
        watch.start()
        begin = time.monotonic()
        run(references)
        figures[way] = (time.monotonic() - begin, watch.share())
    podman("rmi", *references, check=False)
    return figures


def compare(title, registry):
    """All rounds, and the table of their medians."""
    results = [measure(registry, number) for number in range(rounds)]
    base = statistics.median(result["podman pull in turn"][0] for result in results)
    print(f"{title}\n  {'':22}{'seconds':>8}{'ratio':>7}{'locked':>8}")
    for way in WAYS:
        seconds = statistics.median(result[way][0] for result in results)
        locked = statistics.median(result[way][1] for result in results)
        print(f"  {way:22}{seconds:8.1f}{seconds / base:7.2f}{locked:8.0%}", flush=True)


for name in NAMES:
    push_image(name)
compare("From the registry itself:", env["REGISTRY"])
with tempfile.NamedTemporaryFile("w", suffix=".mode") as mode:
    mode.write("slow 4\n")
    mode.flush()
    program = Path(__file__).resolve().parent.parent / "Testbed" / "fault_proxy.py"
    command = [sys.executable, program, env["REGISTRY"], mode.name]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        compare("At 4 MB a second for each blob:", proxy.stdout.readline().strip())
    finally:
        proxy.terminate()
