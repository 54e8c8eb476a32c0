#!/usr/bin/env python3
"""A Podman of its own on a store of its own, as large as one says: for a full disk and for a kill in a pull.

    small_store.py TESTBED SIZE

Prints the paths of its socket and of its store. Then it obeys one word a line on standard input: `kill` kills
everything in the pod at once, `start` starts it again; each is answered with `done`. At the end of the input
the pod is killed and its store unmounted. Short names are looked up in the testbed's registry.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import podman_service
from layout import JOB_UID, Layout

layout = Layout(Path(sys.argv[1]))
registry = layout.require("registry")["servers"]["registry"]
volume = layout.root / "small"
volume.mkdir(exist_ok=True)
options = f"size={sys.argv[2]},mode=755,uid={JOB_UID},gid={JOB_UID}"
subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", volume], check=True)
try:
    layout.storage = volume / "storage"
    layout.storage.mkdir()
    os.chown(layout.storage, JOB_UID, JOB_UID)
    pod = podman_service.start_service(layout, "small", registry)[0]
    print(layout.socket("small"), layout.storage, flush=True)
    for line in sys.stdin:
        if line.strip() == "kill":
            podman_service.kill_pod(pod)
        if line.strip() == "start":
            pod = podman_service.start_service(layout, "small", registry)[0]
        print("done", flush=True)
    if pod.poll() is None:
        podman_service.kill_pod(pod)
finally:
    subprocess.run(["umount", "--lazy", volume], check=True)
