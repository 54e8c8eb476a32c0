#!/usr/bin/env python3
"""Writes the files that differ from storage.conf, containers.conf and apparmor.profile in one point or two.

    variants.py            writes them beside this script
    variants.py --check    exit code 1 where one is not what would be written

Podman reads one file of each kind, the one that CONTAINERS_STORAGE_CONF and CONTAINERS_CONF name, so that a variant
is a whole file. Which one a pod takes is decided by the overlay and its components, in one place: see
deploy/gitlab-runner/values.yaml and deploy/components.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MADE = "# Written by variants.py from {source}.\n"
EVENTS = "/podman-data/events/events.log"
READONLY = """\
# For the overlay `readonly-store`: the job's own store goes with the pod; the one that Larder fills is mounted
# read-only and looked up first.
"""
OVERLAY = """\
# Layers are stored once, and not with copies of their parents. The kernel's own overlay takes Linux 5.13 (with
# hostUsers: false 6.3, as everything does) and a volume that may be an upper directory: ext4, or XFS with ftype=1;
# no NFS, no other overlay.
"""
PROC = """\
# For clusters whose Pod Security refuses an unmasked /proc (before 1.35): the kernel lets nobody mount a new /proc
# where the pod's is masked, so test containers see the pod's, with the names of its processes.
"""
READONLY_EVENTS = """\
# For the overlay `readonly-store`: nothing can be written beside the store. The events lie on a volume of their own,
# which Larder reads.
"""


def replace(text, old, new):
    """The text with its one `old` changed."""
    if text.count(old) != 1:
        sys.exit(f"variants.py: not once in the source: {old}")
    return text.replace(old, new)


def variants():
    """The files by name."""
    storage = (HERE / "storage.conf").read_text()
    containers = (HERE / "containers.conf").read_text()
    body = storage[storage.index("[storage]"):]
    readonly = replace(body, '"/podman-data/storage"', '"/job-data/storage"') \
        + '\n[storage.options]\nadditionalimagestores = ["/podman-data/storage"]\n'
    files = {"storage.readonly.conf": READONLY + readonly}
    for name, text, head in (("storage.overlay.conf", body, OVERLAY),
                             ("storage.readonly-overlay.conf", readonly, READONLY + OVERLAY)):
        files[name] = head + replace(text, 'driver = "vfs"', 'driver = "overlay"')
    events = replace(containers, EVENTS, "/podman-events/events.log")
    files["containers.readonly.conf"] = READONLY_EVENTS + events
    files["containers.proc.conf"] = PROC + with_proc(containers)
    files["containers.readonly-proc.conf"] = READONLY_EVENTS + PROC + with_proc(events)
    profile = (HERE / "apparmor.profile").read_text()
    older = replace(replace(profile, "abi <abi/4.0>,\n", ""), "  # Ubuntu 24.04 and later refuse user namespaces to whatever"
                    " does not name this.\n  userns,\n", "")
    files["apparmor3.profile"] = "# For AppArmor 3 (Debian 12, Ubuntu 22.04), which knows neither `abi/4.0` nor `userns`.\n" + older
    sources = {"apparmor3.profile": "apparmor.profile"}
    return {name: MADE.format(source=sources.get(name, name.split(".")[0] + ".conf")) + text for name, text in files.items()}


def with_proc(text):
    """With the pod's /proc in each container."""
    return replace(text, 'cgroups = "disabled"\n', 'cgroups = "disabled"\nvolumes = ["/proc:/proc"]\n')


def main():
    check = sys.argv[1:] == ["--check"]
    for name, text in variants().items():
        path = HERE / name
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{name} does not follow from its source: run variants.py")


if __name__ == "__main__":
    main()
