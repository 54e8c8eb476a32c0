#!/usr/bin/env python3
"""Mounts a small real filesystem, for ENOSPC, inode exhaustion and mount options, and unmounts it.

    filesystems.py make DIR --type ext4 --size 64M [--inodes 1000] [--options noatime,ro]
    filesystems.py unmount DIR

An ext4 lives in the file DIR.img beside the mount point, which `unmount`
removes with the mount point.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SMALLEST_EXT4 = 1 << 20


class Failure(Exception):
    """What is wrong, and the exit code."""

    def __init__(self, message, code=1):
        super().__init__(message)
        self.code = code


def byte_count(text):
    """Bytes of `64M`, `1G`, `4096`."""
    match = re.fullmatch(r"(\d+)([KMG]?)i?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text} is no size: write 64M or 1G")
    return int(match[1]) * UNITS[match[2]]


def call(*argv):
    """Runs a command; its own words are the error."""
    result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise Failure(f"`{' '.join(map(str, argv))}` failed: {result.stdout.strip()}")


def image_of(directory):
    """The file that holds the ext4 mounted on a directory."""
    return directory.with_name(directory.name + ".img")


def make(directory, kind, size, inodes, options, owner):
    """Makes the filesystem and mounts it. Root alone may write, unless there is an owner."""
    if directory.exists() and (directory.is_mount() or any(directory.iterdir())):
        raise Failure(f"{directory} is in use: give a new or empty directory")
    if image_of(directory).exists():
        raise Failure(f"{image_of(directory)} is left over: run `filesystems.py unmount {directory}`")
    directory.mkdir(parents=True, exist_ok=True)
    try:
        mount(directory, kind, size, inodes, options, owner)
    except BaseException:
        unmount(directory)
        raise


def mount(directory, kind, size, inodes, options, owner):
    """Mounts a new filesystem on an empty directory."""
    mount_options = options.split(",") if options else []
    if kind == "tmpfs":
        mount_options += [f"size={size}", "mode=0755"] + ([f"nr_inodes={inodes}"] if inodes else [])
        call("mount", "-t", "tmpfs", "-o", ",".join(mount_options), "testbed", directory)
    else:
        make_ext4(directory, size, inodes, owner)
        call("mount", "-t", "ext4", "-o", ",".join(["loop", *mount_options]), image_of(directory), directory)
    if owner is not None and "ro" not in mount_options:
        os.chown(directory, owner, owner)


def make_ext4(directory, size, inodes, owner):
    """Writes an image without journal and reserved blocks: its size is what files can use, nearly."""
    if size < SMALLEST_EXT4:
        raise Failure("an ext4 needs 1M at least")
    image = image_of(directory)
    with open(image, "xb") as file:
        file.truncate(size)
    extended = "lazy_itable_init=0" + (f",root_owner={owner}:{owner}" if owner is not None else "")
    count = ["-N", str(inodes)] if inodes else []
    call("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", *count, "-E", extended, image)


def unmount(directory):
    """Unmounts and removes what `make` made. Does nothing the second time."""
    if directory.is_mount():
        call("umount", directory)
    if directory.exists():
        directory.rmdir()
    image_of(directory).unlink(missing_ok=True)


def main():
    """Runs one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("make")
    sub.add_argument("directory", type=Path)
    sub.add_argument("--type", dest="kind", choices=["ext4", "tmpfs"], default="ext4")
    sub.add_argument("--size", type=byte_count, default=byte_count("64M"))
    sub.add_argument("--inodes", type=int)
    sub.add_argument("--options", metavar="A,B", help="mount options, such as noatime")
    sub.add_argument("--owner", type=int, metavar="UID", help="who owns the top directory")
    sub = commands.add_parser("unmount")
    sub.add_argument("directory", type=Path)
    options = parser.parse_args()
    directory = options.directory.absolute()
    if os.geteuid() != 0:
        raise Failure("mounting needs root: run it with sudo", code=3)
    if options.command == "make":
        make(directory, options.kind, options.size, options.inodes, options.options, options.owner)
    else:
        unmount(directory)


if __name__ == "__main__":
    try:
        main()
    except (Failure, OSError) as error:
        print(f"filesystems: {error}", file=sys.stderr)
        sys.exit(getattr(error, "code", 1))
