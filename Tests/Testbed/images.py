"""Real images: built by Buildah from Debian's own programs, pushed to the registry, pulled by the job.

Building takes a while, so the result is kept as an OCI directory outside the
testbed, under a name that changes with everything that goes into it. Pushes
and pulls are done anew for each testbed.
"""

import fcntl
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import urllib.parse
from datetime import datetime, timezone
from pathlib import Path

import podman_service
from layout import HERE, IMAGES, TestbedError, shared_cache
from processes import environment, run, wait_until

ORDER = ("base", "app-a", "app-b", "redis", "pg", "big")
PULLED = ("base", "app-a", "app-b", "redis")
MEGABYTE = 1_000_000
# Noise cannot be compressed: each file makes a layer of its own size.
NOISE = {
    "app-a": {"app-a.bin": MEGABYTE},
    "app-b": {"app-b.bin": MEGABYTE},
    "big": {f"big-{number}.bin": 5 * MEGABYTE for number in range(1, 5)},
    "huge": {f"huge-{number}.bin": 80 * MEGABYTE for number in range(1, 4)},
}


def built_images(layout, names=ORDER):
    """The OCI directory with these images, built on first use."""
    digest = hashlib.sha256()
    ingredients = [Path(__file__), *sorted((HERE / "containerfiles").iterdir())]
    ingredients += [Path("/bin/busybox"), Path(shutil.which("redis-server"))]
    for path in ingredients:
        digest.update(path.read_bytes())
    digest.update(" ".join(names).encode())
    directory = shared_cache() / f"images-{digest.hexdigest()[:16]}"
    with open(shared_cache() / "images.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            temporary = Path(tempfile.mkdtemp(prefix="building-", dir=shared_cache()))
            try:
                for name in names:
                    build(layout, name, temporary / "store", temporary / "oci")
                os.rename(temporary / "oci", directory)
            finally:
                shutil.rmtree(temporary)
    return directory


def build(layout, name, store, oci):
    """Builds one image with Buildah, as root, in a store of its own, and adds it to the OCI directory."""
    log = layout.log / "build-images.log"
    buildah = ["buildah", f"--root={store}", f"--runroot={store}/run", "--storage-driver=vfs"]
    env = environment(layout.home, TMPDIR=oci.parent)
    context = oci.parent / f"context-{name}"
    context.mkdir()
    add_files(context, name)
    run(
        [*buildah, "bud", "--isolation=chroot", "--layers", f"--tag=localhost/{name}",
         f"--file={HERE}/containerfiles/{name}.Containerfile", context],
        env, log,
    )
    run([*buildah, "push", "--quiet", f"localhost/{name}", f"oci:{oci}:{name}"], env, log)


def add_files(context, name):
    """Puts the files that a Containerfile copies into its build context."""
    for file, size in NOISE.get(name, {}).items():
        (context / file).write_bytes(random.Random(file).randbytes(size))
    if name == "base":
        shutil.copy("/bin/busybox", context / "busybox")
        (context / "passwd").write_text("root:x:0:0:root:/:/bin/sh\npostgres:x:70:70:postgres:/:/bin/sh\n")
    if name == "redis":
        for program in ("redis-server", "redis-cli"):
            add_program(context / "redis", shutil.which(program))


def add_program(tree, program):
    """Copies a program, its shared libraries and its loader, each to its own place."""
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for path in [program, *re.findall(r"(/\S+) \(0x", libraries)]:
        target = tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def push(layout, registry, names=ORDER):
    """Pushes the images to the testbed's registry."""
    directory = built_images(layout, names)
    for name in names:
        run(
            ["skopeo", "copy", "--quiet", "--dest-tls-verify=false",
             f"oci:{directory}:{name}", f"docker://{registry}/{IMAGES[name]}"],
            environment(layout.home, TMPDIR=layout.run), layout.log / "push-images.log",
        )


def pull(layout, image, pod="job"):
    """Pulls an image, by its short name or full reference, through a pod's service; gives its ID.

    Podman answers 200 for a pull that failed: the error is in the last line.
    """
    registry = layout.require("registry")["servers"]["registry"]
    reference = f"{registry}/{IMAGES[image]}" if image in IMAGES else image
    target = f"/v4.0.0/libpod/images/pull?quiet=true&reference={urllib.parse.quote(reference)}"
    status, body = podman_service.request(layout.socket(pod), "POST", target)
    try:
        answers = [json.loads(line) for line in body.splitlines() if line.strip()]
    except ValueError:
        answers = [{"error": body.decode(errors="replace")}]
    error = next((each["error"] for each in answers if each.get("error")), None)
    if status != 200 or error or not answers:
        raise TestbedError(f"pull of {reference} failed ({status}): {error or body!r}", f"see {layout.log}")
    return answers[-1]["id"]


def stock(layout, registry):
    """Fills the registry, and the store by what a job has pulled."""
    push(layout, registry)
    for name in PULLED:
        pull(layout, name)


def kill_pull(layout):
    """Kills a pod in the middle of a pull, and gives the layers that it left incomplete.

    At least one finished layer that no image uses is left below them. The pod is
    a third one beside `job` and `larder`, and it is gone afterwards.
    """
    registry = layout.require("registry")["servers"]["registry"]
    push(layout, registry, ("huge",))
    reference = f"{registry}/{IMAGES['huge']}"
    begin = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    pod = podman_service.start_pod(layout, "killed", registry, ["pull", "--quiet", reference])

    def extracting():
        if pod.poll() is not None:
            raise TestbedError(
                f"the pull of {reference} ended before it could be killed ({pod.returncode})",
                f"remove the image if it is there; see {layout.log / 'podman-killed.log'}",
            )
        layers = incomplete_layers(layout)
        return any(layer.get("parent") and layer["created"] >= begin for layer in layers)

    try:
        wait_until(extracting, 120, "a layer is being extracted")
    finally:
        if pod.poll() is None:
            podman_service.kill_pod(pod)
    return [layer["id"] for layer in incomplete_layers(layout)]


def incomplete_layers(layout):
    """The layers that layers.json marks incomplete."""
    layers = json.loads((layout.storage / "vfs-layers" / "layers.json").read_text())
    return [layer for layer in layers if (layer.get("flags") or {}).get("incomplete")]
