#!/usr/bin/env python3
"""Brings up real Maven, Gradle, Podman and registry parts for Larder's tests, and takes them down.

See README.md beside this file.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True

import build_caches
import images
import job
import keeper
import packages
import podman_service
import processes
from layout import JOB_UID, Layout, TestbedError

LONGEST_SOCKET_PATH = 100


def up(layout, owner, lifetime, builds, with_images, discard):
    """Makes the directory, starts the servers and fills both volumes."""
    packages.require(builds, with_images)
    make_directories(layout, with_images)
    state = keeper.spawn(layout, owner, lifetime, builds, with_images, discard)
    try:
        if builds:
            build_caches.prepare(layout, state["servers"]["mirror"])
        with ThreadPoolExecutor() as pool:
            parts = []
            if builds:
                parts += [pool.submit(build_caches.fill_maven, layout), pool.submit(build_caches.fill_gradle, layout)]
            if with_images:
                parts.append(pool.submit(images.stock, layout, state["servers"]["registry"]))
        for part in parts:
            part.result()
        layout.write_env(state)
    except BaseException:
        processes.end(state["processes"][0], seconds=30)
        raise


def make_directories(layout, with_images):
    """Creates the skeleton; refuses a directory that is in use or that the job's user cannot reach."""
    if not re.fullmatch(r"[\w./+-]+", str(layout.root)):
        raise TestbedError(f"{layout.root}: configuration files need a path of letters, digits and ._+-/")
    if with_images and len(str(layout.socket("larder"))) >= LONGEST_SOCKET_PATH:
        raise TestbedError(f"{layout.socket('larder')} is too long for a socket", "choose a shorter directory")
    if layout.root.exists() and any(layout.root.iterdir()):
        raise TestbedError(f"{layout.root} is not empty", f"run `testbed.py down {layout.root}`, or choose another")
    layout.root.mkdir(parents=True, exist_ok=True)
    layout.root.chmod(0o755)
    for directory in (layout.log, layout.run, layout.mirror, layout.registry):
        directory.mkdir()
    own = [layout.home]
    if with_images:
        own += [layout.sockets, layout.storage.parent, layout.storage, layout.events]
    for directory in own:
        directory.mkdir()
        os.chown(directory, JOB_UID, JOB_UID)
    reach = processes.bound(["test", "-w", layout.home], job_user=True)
    if subprocess.run(reach).returncode != 0:
        shutil.rmtree(layout.root)
        raise TestbedError(f"uid {JOB_UID} cannot reach {layout.root}", "choose a directory below /tmp or /var/tmp")


def down(layout):
    """Ends what `up` started, unmounts what is mounted below the directory, and removes it."""
    packages.require_debian_and_root()
    if not layout.root.exists():
        return
    if layout.state_file.exists():
        # The keeper first: it ends its servers in order. The others only if it was killed.
        for record in layout.state()["processes"]:
            processes.end(record, seconds=30)
    elif not (layout.log / "keeper.log").exists():
        layout.state()
    remove(layout)


def remove(layout):
    """Unmounts and deletes the directory, as root: subuids of the job own some of it."""
    with open("/proc/self/mountinfo") as file:
        mounts = [line.split()[4] for line in file]
    for mount in reversed(mounts):
        if mount.startswith(f"{layout.root}/"):
            subprocess.run(["umount", "--lazy", mount], check=True)
    shutil.rmtree(layout.root)


def keep(layout, options):
    """The body of the keeper process."""
    keeper.keep(layout, options.owner, options.lifetime, options.builds, options.images)
    if options.discard:
        remove(layout)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, text, **options):
        sub = commands.add_parser(name, help=text, description=text, **options)
        sub.add_argument("directory", type=Path, metavar="DIR")
        return sub

    install = commands.add_parser(
        "install", help="install the Debian packages and add the user ci, where missing")
    install.add_argument("--checks", action="store_true", help="also what single tests are held against")
    for name, text in (("up", "bring up a testbed in DIR"), ("keep", "hold the servers (started by `up`)")):
        sub = command(name, text)
        sub.add_argument("--no-images", dest="images", action="store_false", help="no registry and no Podman")
        sub.add_argument("--no-builds", dest="builds", action="store_false", help="no Maven and no Gradle")
        sub.add_argument("--owner", type=int, default=os.getppid(), metavar="PID",
                         help="end when this process ends (the caller; 0: none)")
        sub.add_argument("--lifetime", type=float, default=7200, metavar="SECONDS", help="end after this time (7200)")
        sub.add_argument("--discard", action="store_true", help="remove DIR too, if it ends by itself")
    command("down", "end the servers of DIR and remove it")
    for name, default in (("maven", None), ("gradle", "gamma")):
        sub = command(name, f"run a real {name.capitalize()} build on the build volume")
        sub.add_argument("project", nargs="?" if default else None, default=default)
        sub.add_argument("--offline", action="store_true")
        if name == "maven":
            sub.add_argument("--repo", metavar="PATH", help="another local repository")
        sub.add_argument("more", nargs="*", metavar="-- ARG", help="more arguments for the build tool")
    sub = command("pull", "pull an image through a pod's service")
    sub.add_argument("image", help="base, app-a, app-b, redis, pg, big, or a full reference")
    sub.add_argument("--pod", default="job", choices=podman_service.PODS)
    sub = command("job", "run a Testcontainers job against the job's service")
    sub.add_argument("image", nargs="?", default="redis")
    command("kill-pull", "kill a pod in the middle of a pull")
    sub = command("podman", "run the Podman client against the job's service")
    sub.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")
    return parser.parse_args()


def main():
    """Runs one command; gives the exit code."""
    options = arguments()
    os.umask(0o022)
    if options.command == "install":
        packages.install(options.checks)
        return 0
    layout = Layout(options.directory)
    match options.command:
        case "up":
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            begin = time.monotonic()
            up(layout, options.owner, options.lifetime, options.builds, options.images, options.discard)
            print(f"{layout.root} is up after {time.monotonic() - begin:.0f} s; its settings are in {layout.env_file}")
        case "keep":
            keep(layout, options)
        case "down":
            down(layout)
        case "maven":
            build_caches.maven(layout, options.project, options.offline, options.repo, options.more)
        case "gradle":
            build_caches.gradle(layout, options.project, options.offline, options.more)
        case "pull":
            print(images.pull(layout, options.image, options.pod))
        case "job":
            job.run_job(layout, options.image)
        case "kill-pull":
            print("\n".join(images.kill_pull(layout)))
        case "podman":
            layout.require("pods")
            return podman_service.remote(layout, options.arguments)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TestbedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        if error.hint:
            print(f"testbed: {error.hint}", file=sys.stderr)
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(130)
