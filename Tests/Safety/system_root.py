#!/usr/bin/env python3
"""Names the root of the whole system as a volume, by itself and through a link: Larder must turn it down.

Runs confined and as an ordinary user: see confinement.py. The root there is a small tmpfs; a trash lies in it
that belongs to that user, so that a Larder without its guard would purge it, and nothing else.
"""

import os
import subprocess
import sys
from pathlib import Path

import confinement

LARDER = os.path.realpath(os.environ.get("LARDER", Path(__file__).parents[2] / ".build/debug/larder"))
RUN = "20200101T000000Z-0000"
COMMANDS = [
    ["scan"], ["prune", "--dry-run"], ["prune", "--to", "1Ki", "--force-limit"], ["plan"], ["verify"],
    ["trash", "list"], ["trash", "restore", RUN], ["trash", "purge"], ["prune", "--orphans"],
]


def main():
    """Runs every command that could change a volume on the root."""
    if "CONFINED" not in os.environ:
        confinement.begin_again_confined()
    confinement.confine(LARDER, size="64M", inodes=4_000)
    place = Path("/play/ext4/tree")
    place.mkdir()
    confinement.check_confinement(place)
    link = place / "link"
    link.symlink_to("/")
    precious = Path("/.larder/trash") / RUN / "0/precious"
    precious.parent.mkdir(parents=True)
    precious.write_text("precious")
    for path in (precious, *list(precious.parents)[:-1]):
        os.chown(path, confinement.USER, confinement.USER)
    wrong = []
    commands = 0
    for root in ("/", str(link)):
        for command in COMMANDS:
            kind = "--image-root" if "--orphans" in command else "--build-cache"
            other = "--build-cache" if kind == "--image-root" else "--image-root"
            argv = [LARDER, *command, kind, root, other, "/nonexistent", "--socket", "unix:///nonexistent"]
            process = confinement.as_user(
                [*argv, "--state", "/play/state"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, env={"HOME": "/tmp"})
            output, errors = process.communicate(timeout=60)
            commands += 1
            words = f"{' '.join(command)} on {root}"
            # `plan` reads the index only, which knows of no such volume.
            if process.returncode not in (1, 64, 78):
                wrong.append(f"{words}: exit {process.returncode}: {output[-300:]}{errors[-300:]}")
            elif command[0] != "plan" and root != "/" and "root of the whole system" not in output + errors:
                wrong.append(f"{words}: turned down for another reason: {output[-300:]}{errors[-300:]}")
            if not precious.exists() or os.listdir("/.larder") != ["trash"]:
                wrong.append(f"{words}: the root was changed: {os.listdir('/.larder')}")
    for line in wrong[:40]:
        print(f"VIOLATION {line}")
    print(f"{commands} commands on the root of the system, {len(wrong)} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
