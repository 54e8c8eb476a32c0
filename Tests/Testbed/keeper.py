"""The process that owns a testbed's servers.

All servers are children of the keeper (the Maven mirror is a thread in it) and
die with it, however it dies. It ends by itself when its owner is gone, or after
a maximum lifetime, so that an interrupted test leaves nothing running.
"""

import os
import select
import signal
import subprocess
import sys
import time

import maven_mirror
import podman_service
import registry
from layout import HERE, TestbedError
from processes import end, remember, tail, wait_until


def spawn(layout, owner, lifetime, builds, images, discard):
    """Starts a keeper that outlives this process, and waits until its servers are up; gives the state."""
    log = layout.log / "keeper.log"
    options = [f"--owner={owner}", f"--lifetime={lifetime}"]
    options += ["--no-builds"] * (not builds) + ["--no-images"] * (not images) + ["--discard"] * discard
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-B", HERE / "testbed.py", "keep", layout.root, *options],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            cwd="/", start_new_session=True,
        )

    def ready():
        if process.poll() is not None:
            raise TestbedError(f"the servers did not start:\n{tail(log.read_bytes())}", f"see the logs in {layout.log}")
        return layout.state_file.exists()

    try:
        wait_until(ready, 90, f"the servers are up (see {layout.log})")
    except BaseException:
        process.terminate()
        process.wait()
        raise
    return layout.state()


def keep(layout, owner, lifetime, builds, images):
    """Starts the servers, records them, and holds them until told to end, or owner or time is up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    owner_descriptor = open_owner(owner)
    children = {}
    state = {
        "owner": owner,
        "ends_at": time.time() + lifetime,
        "servers": {},
        "processes": [remember("keeper", os.getpid())],
    }
    try:
        if builds:
            state["servers"]["mirror"] = maven_mirror.serve(layout)
        if images:
            process, address = registry.start(layout)
            children["registry"] = process
            state["servers"]["registry"] = address
            state["processes"].append(remember("registry", process.pid))
            state["servers"]["pods"] = []
            for pod in podman_service.PODS:
                process, first = podman_service.start_service(layout, pod, address)
                children[pod] = process
                state["servers"]["pods"].append(pod)
                state["processes"].append(remember(pod, first))
        layout.write_state(state)
        say(hold(owner_descriptor, lifetime, children))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for record in reversed(state["processes"][1:]):
            end(record)
        for process in children.values():
            process.kill()
            process.wait()
        say("all servers have ended")


def open_owner(owner):
    """A descriptor that becomes readable when the owner ends; None for no owner (0)."""
    if owner == 0:
        return None
    try:
        return os.pidfd_open(owner)
    except ProcessLookupError:
        raise TestbedError(f"the owner, process {owner}, is gone", "give a live process by --owner, or 0 for none") from None


def hold(owner_descriptor, lifetime, children):
    """Waits for the first reason to end, and gives it. A server that ends early is only noted."""
    watched = {os.pidfd_open(process.pid): name for name, process in children.items()}
    poll = select.poll()
    for descriptor in watched:
        poll.register(descriptor, select.POLLIN)
    if owner_descriptor is not None:
        poll.register(owner_descriptor, select.POLLIN)
    deadline = time.monotonic() + lifetime
    while (left := deadline - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(left * 1000):
            if descriptor == owner_descriptor:
                return "the owner has ended"
            name = watched[descriptor]
            say(f"{name} ended by itself or was killed ({children[name].wait()})")
            poll.unregister(descriptor)
    return "the lifetime is over"


def say(text):
    """A line in the keeper's log."""
    print(time.strftime("%F %T"), text, flush=True)
