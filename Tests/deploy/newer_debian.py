"""Programs of Debian's next release, in a directory of their own: nothing is installed.

Debian 12 has Maven 3.8, whose resolver knows no locks between processes, and Podman 4. The templates of
deploy/ name Maven 3.9 and Podman 5. Both are in Debian 13, which the mirror of this machine has too.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = "trixie"
# What the stand-in for podman/stable is made of; the names are Debian's, the programs those of the image.
PODMAN = ["podman", "crun", "uidmap", "slirp4netns", "passt", "netavark", "aardvark-dns", "catatonit", "libcap2-bin",
          "ca-certificates", "nftables"]


def mirror():
    """Where this machine has Debian from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian",
               "Codename: bookworm"]
    for _ in range(2):
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        if found:
            return found[0]
        # The names come from the lists, which a new machine does not have.
        subprocess.run(["apt-get", "update", "--quiet=2"], check=True, stdout=2)
    sys.exit("apt has no source of Debian 12 (bookworm)")


def unpack_maven(folder):
    """Unpacks Maven, with the libraries it needs and without a Java; its home is usr/share/maven in it."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for each in ("lists/partial", "cache/archives/partial", "packages"):
            (work / each).mkdir(parents=True)
        (work / "status").touch()
        (work / "sources.list").write_text(f"deb {mirror()} {SUITE} main\n")
        options = {"Dir::State": work, "Dir::State::Lists": work / "lists", "Dir::State::status": work / "status",
                   "Dir::Cache": work / "cache", "Dir::Etc::SourceList": work / "sources.list",
                   "Dir::Etc::SourceParts": "/dev/null", "APT::Sandbox::User": "root"}
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        subprocess.run(["apt-get", *flags, "update", "--quiet=2"], check=True, stdout=2)
        listed = subprocess.run(
            ["apt-cache", *flags, "depends", "--recurse", "--important", "--no-pre-depends", "maven"],
            capture_output=True, text=True, check=True).stdout
        names = sorted({line for line in listed.splitlines() if re.fullmatch(r"maven|lib[a-z0-9.+-]+-java", line)})
        subprocess.run(["apt-get", *flags, "download", "--quiet=2", *names], check=True, cwd=work / "packages", stdout=2)
        for package in sorted((work / "packages").glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    # It points to the machine's own configuration, which is another release's.
    configuration = folder / "usr/share/maven/conf"
    configuration.unlink()
    configuration.symlink_to("../../../etc/maven")


def make_podman_root(archive):
    """Writes a root file system with Podman, as a tar archive."""
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PODMAN)}", SUITE, archive, mirror()]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=env, check=True, stdin=subprocess.DEVNULL, stdout=2)
