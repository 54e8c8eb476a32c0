#!/usr/bin/env python3
"""Prunes a build cache and an image store that hold one entry for each reason to stay, and one that may go.

Each thing that is protected is as old as the one that goes, so that nothing but its own reason keeps it. Needs
root, to have a tracking file of another user; Larder runs as an ordinary one.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import volumes
from hostile_store import Podman

USER = 1001
CONFIGURATION = """
idle_floor: 1h
limits: {{bytes_share: 100%}}
volumes:
- {{name: build, kind: build-cache, path: {top}/cache, keep: ["g:kept:*"]}}
- {{name: images, kind: image-store, path: {top}/storage, socket: "unix://{top}/s", keep: ["registry.test/kept:*"]}}
"""
# What is planned for in the end, and what a prune says of it.
KEPT = {
    "locally-installed": 1, "in-flight": 1, "holds-entries": 1, "foreign-owner": 1, "keep-pattern": 2, "idle-floor": 2,
    "in-use": 1, "damaged": 1, "shared-layers": 1,
}


def layer(name, parent=None):
    """A layer's record."""
    record = {"id": name, "created": "2020-01-01T00:00:00Z", "diff-size": 1_000_000}
    return {**record, **({"parent": parent} if parent else {})}


def make_cache(root):
    """Maven entries, one for each reason, and a Gradle home with a lock; the open lock file."""
    for name in ("free", "kept", "local", "flight", "foreign", "recent", "holder"):
        volumes.add_entry(root, name, name)
    group = root / ".m2/repository/g"
    (group / "local/1/_remote.repositories").write_text("local-1.jar>=\n")
    inner = group / "holder/1/inner"
    inner.mkdir()
    (inner / "_remote.repositories").write_text("")
    volumes.age(group, 40)
    part = group / "flight/1/flight-1.jar.part"
    part.write_bytes(b"half")
    then = time.time() - 7200
    os.utime(part, (then, then))
    volumes.age(group / "flight/1", 40)
    os.utime(part, (then, then))
    # Fetched half an hour ago and never read since.
    os.utime(group / "recent/1", (then, time.time() - 1800))
    for home, name in ((root, "y"), (root / "closed", "z")):
        module = home / f"caches/modules-2/files-2.1/org.x/{name}/1.0/abc"
        module.mkdir(parents=True)
        (module / f"{name}-1.0.jar").write_bytes(bytes(9000))
        lock = home / "caches/modules-2/modules-2.lock"
        lock.write_bytes(bytes(17))
        volumes.age(home / "caches", 40)
    subprocess.run(["chown", "-R", f"{USER}:{USER}", str(root)], check=True)
    os.chown(group / "foreign/1/_remote.repositories", 0, 0)
    # The second home's lock cannot be asked.
    os.chown(lock, 0, 0)
    os.chmod(lock, 0)
    return open(root / "caches/modules-2/modules-2.lock", "r+b")


def make_store(root):
    """Images, one for each reason, and a container."""
    layers = [layer(n) for n in ("free", "used", "kept", "recent")] + [layer("above", "used"), layer("cut", "none")]
    tops = {"free": "free", "used": "above", "shared": "used", "kept": "kept", "recent": "recent", "damaged": "cut"}
    images = [
        {"id": name, "names": [f"registry.test/{name}:1"], "layer": top, "created": "2020-01-01T00:00:00Z"}
        for name, top in tops.items()
    ]
    containers = [{"id": "c", "image": "used", "layer": "above", "created": "2020-01-01T00:00:00Z", "names": ["c"]}]
    for kind, records in (("layers", layers), ("images", images), ("containers", containers)):
        (root / f"vfs-{kind}").mkdir(parents=True)
        (root / f"vfs-{kind}/{kind}.json").write_text(json.dumps(records))
    for name in tops:
        (root / f"vfs-images/{name}").mkdir()
        (root / f"vfs-images/{name}/manifest").write_text("{}")
    volumes.age(root, 40)
    os.utime(root / "vfs-images/recent/manifest", (time.time() - 1800,) * 2)
    subprocess.run(["chown", "-R", f"{USER}:{USER}", str(root)], check=True)


def larder(top, *arguments):
    """Runs Larder as the ordinary user; its JSON."""
    wrap = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups"]
    argv = [*wrap, str(volumes.LARDER), "--config", f"{top}/larder.yaml", "--state", f"{top}/state", *arguments]
    result = subprocess.run([*argv, "--format", "json"], capture_output=True, text=True)
    try:
        return {volume["name"]: volume for volume in json.loads(result.stdout)["volumes"]}
    except (ValueError, KeyError):
        raise SystemExit(f"{' '.join(arguments)}: exit {result.returncode}: {result.stdout}{result.stderr}") from None


def both(top, command):
    """What a command says of each volume when it is to become as small as can be; a size is of one volume only."""
    found = {}
    for volume in ("build", "images"):
        found.update(larder(top, command, "--to", "1Ki", "--volume", volume))
    return found


def main():
    """Plans, prunes, and looks what is left."""
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(3)
    top = Path(tempfile.mkdtemp(prefix="larder-kept-"))
    wrong = []
    try:
        os.chmod(top, 0o755)
        (top / "state").mkdir()
        os.chown(top / "state", USER, USER)
        (top / "larder.yaml").write_text(CONFIGURATION.format(top=top))
        lock = make_cache(top / "cache")
        make_store(top / "storage")
        podman = Podman(top / "s", top / "storage", ["c"])
        fcntl.lockf(lock, fcntl.LOCK_EX, 17, 0, 0)
        larder(top, "scan")
        kept = {}
        for volume in both(top, "plan").values():
            for line in volume["kept"]:
                kept[line["reason"]] = kept.get(line["reason"], 0) + line["entries"]
        if kept != KEPT:
            wrong.append(f"the plan keeps {kept}, not {KEPT}")
        before = volumes.entries(top / "cache")
        pruned = both(top, "prune")
        for volume, gone in (("build", ["g:free:1", "g.holder:1:inner"]), ("images", ["registry.test/free:1"])):
            evicted = [line["key"] for line in pruned[volume]["evicted"]]
            if sorted(evicted) != sorted(gone):
                wrong.append(f"{volume}: {evicted} went, not {gone}")
        refused = sorted((r["key"], r["reason"]) for v in pruned.values() for r in v["refused"])
        held = "a Gradle build holds the lock of its home"
        if refused != [("org.x:y:1.0", held), ("org.x:z:1.0", held)]:
            wrong.append(f"refused: {refused}")
        gone = set(before) - set(volumes.entries(top / "cache"))
        if gone != {".m2/repository/g/free/1"}:
            wrong.append(f"{sorted(gone)} are gone")
        left = {i["id"] for i in json.loads((top / "storage/vfs-images/images.json").read_text())}
        if left != {"used", "shared", "kept", "recent", "damaged"} or podman.removed != 1:
            wrong.append(f"the store has {sorted(left)}")
        podman.shutdown()
        podman.server_close()
        lock.close()
    finally:
        shutil.rmtree(top)
    for line in wrong:
        print(f"VIOLATION {line}")
    print(f"{sum(KEPT.values()) + 2} protected entries, {len(wrong)} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
