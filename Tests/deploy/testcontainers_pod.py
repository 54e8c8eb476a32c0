"""A job as developers write it, in the build container: Redis by Testcontainers, on a mapped port.

    testcontainers_pod.py REFERENCE

Prints what it sees of itself once Redis answers, waits for a line, and talks to Redis again.
"""

import json
import os
import sys
import time

import redis
from testcontainers.core.container import DockerContainer


def answer(client, seconds=30):
    """Waits for Redis."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return client.ping()
        except redis.exceptions.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def status():
    """What the kernel says of this process."""
    with open("/proc/self/status") as file:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {key: fields[key].split()[0] for key in ("Uid", "CapBnd", "CapEff", "NoNewPrivs")}


with DockerContainer(sys.argv[1]).with_exposed_ports(6379) as container:
    port = int(container.get_exposed_port(6379))
    client = redis.Redis(container.get_container_host_ip(), port)
    answer(client)
    client.set("word", "larder")
    processes = sum(1 for name in os.listdir("/proc") if name.isdigit())
    print(json.dumps({"ready": True, "port": port, "context": status(), "processes": processes}), flush=True)
    sys.stdin.readline()
    if client.get("word") != b"larder":
        sys.exit("Redis has lost the word")
print("passed", flush=True)
