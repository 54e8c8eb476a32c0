"""The job itself; runs in the environment that job.py makes, with DOCKER_HOST set.

Usage: testcontainers_job.py REFERENCE
"""

import socket
import sys
import time

import redis
from testcontainers.core.container import DockerContainer


def free_port():
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ping(client, seconds=30):
    """Waits for Redis to answer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return client.ping()
        except redis.exceptions.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def main(reference):
    """One container: with Redis in it, a word goes in and comes out again."""
    port = free_port()
    container = DockerContainer(reference).with_kwargs(network_mode="host")
    with_redis = "/redis:" in reference
    if with_redis:
        container = container.with_command(["--port", str(port)])
    with container:
        if with_redis:
            client = redis.Redis("127.0.0.1", port)
            ping(client)
            client.set("word", "larder")
            assert client.get("word") == b"larder"


main(sys.argv[1])
