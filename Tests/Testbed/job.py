"""A CI job as developers write it: Testcontainers for Python against the job's Podman."""

import fcntl
import os
import sys

from layout import HERE, IMAGES, TestbedError, shared_cache
from processes import environment, run

REQUIREMENTS = ("testcontainers", "redis")


def python_environment(layout):
    """The Python of a virtual environment with what the job needs, made on first use."""
    directory = shared_cache() / f"job-python{sys.version_info.major}.{sys.version_info.minor}"
    python = directory / "bin" / "python"
    log = layout.log / "job-python.log"
    with open(shared_cache() / "job-python.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "complete").exists():
            env = environment(layout.home)
            run([sys.executable, "-m", "venv", "--clear", directory], env, log)
            # A package index of the site's own comes by PIP_… or a proxy.
            env |= {key: os.environ[key] for key in os.environ if key.startswith("PIP_") or key.lower().endswith("_proxy")}
            options = ["--quiet", "--no-cache-dir", "--disable-pip-version-check"]
            run([python, "-m", "pip", "install", *options, *REQUIREMENTS], env, log)
            (directory / "complete").touch()
    return python


def run_job(layout, image):
    """Starts the image's container by Testcontainers, talks to Redis in it, and removes it."""
    registry = layout.require("pods")["servers"]["registry"]
    if image not in IMAGES:
        raise TestbedError(f"there is no image {image}", f"choose one of {', '.join(IMAGES)}")
    env = environment(
        layout.home,
        DOCKER_HOST=f"unix://{layout.socket('job')}",
        TESTCONTAINERS_RYUK_DISABLED="true",
    )
    argv = [python_environment(layout), "-B", HERE / "testcontainers_job.py", f"{registry}/{IMAGES[image]}"]
    run(argv, env, layout.log / "job.log")
