"""What must be installed: Debian packages, and the user that jobs run as."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from layout import JOB_UID, JOB_USER, TestbedError

COMMON = ["util-linux", "python3", "e2fsprogs", "sqlite3", "strace", "curl"]
BUILDS = [
    "maven",
    "gradle",
    "default-jdk-headless",
    "libmaven-clean-plugin-java",
    "libmaven-compiler-plugin-java",
    "libmaven-install-plugin-java",
    "libmaven-jar-plugin-java",
    "libmaven-resources-plugin-java",
    "libsurefire-java",
    "junit4",
    "libcommons-codec-java",
    "libcommons-compress-java",
    "libcommons-io-java",
    "libcommons-lang3-java",
    "libgoogle-gson-java",
    "libguava-java",
    "libslf4j-java",
]
IMAGES = [
    "podman",
    "buildah",
    "crun",
    "uidmap",
    "slirp4netns",
    "skopeo",
    "docker-registry",
    "busybox-static",
    "redis-server",
    "ca-certificates",
]
JOB = ["python3-venv"]
# What single tests hold Larder against: file systems with shared extents, shifted clocks, a browser, promtool.
CHECKS = ["bindfs", "btrfs-progs", "chromium", "faketime", "prometheus", "xfsprogs"]


def missing_packages(names):
    """Those of `names` that are not installed."""
    listing = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ).stdout
    installed = {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def user_problem():
    """What is wrong with the job's user; None if it is as it should be."""
    try:
        if pwd.getpwnam(JOB_USER).pw_uid != JOB_UID:
            return f"the user {JOB_USER} exists, but its uid is not {JOB_UID}"
    except KeyError:
        try:
            return f"uid {JOB_UID} belongs to {pwd.getpwuid(JOB_UID).pw_name}, and {JOB_USER} does not exist"
        except KeyError:
            return f"the user {JOB_USER} (uid {JOB_UID}) does not exist"
    for path in ("/etc/subuid", "/etc/subgid"):
        if not any(line.startswith(f"{JOB_USER}:") for line in read_lines(path)):
            return f"{path} has no range for {JOB_USER}"
    return None


def read_lines(path):
    """The lines of a file, none where it does not exist."""
    return Path(path).read_text().splitlines() if os.path.exists(path) else []


def require_debian_and_root():
    """Ends with exit code 3 where the testbed cannot work at all."""
    if not shutil.which("dpkg-query"):
        raise TestbedError("this is no Debian: dpkg-query is missing", "run it on Debian 12", code=3)
    if os.geteuid() != 0:
        raise TestbedError(
            "the testbed needs root, for namespaces, mounts and files of other users",
            "run it with sudo, or in a privileged container", code=3,
        )


def require(builds, images):
    """Ends with exit code 3, and says what to install, unless all is there."""
    require_debian_and_root()
    names = COMMON + (BUILDS if builds else []) + (IMAGES if images else [])
    missing = missing_packages(names)
    if missing:
        raise TestbedError(
            f"Debian packages are missing: {' '.join(missing)}",
            f"run `testbed.py install`, or `apt-get install {' '.join(missing)}`", code=3,
        )
    problem = user_problem()
    if problem:
        raise TestbedError(problem, "run `testbed.py install`", code=3)


def install(checks=False):
    """Installs what is missing and adds the job's user. Does nothing the second time."""
    require_debian_and_root()
    missing = missing_packages(COMMON + BUILDS + IMAGES + JOB + (CHECKS if checks else []))
    if missing:
        print(f"installing {' '.join(missing)}", flush=True)
        command = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *missing]
        if apt(command, quiet=True) != 0:
            apt(["apt-get", "update", "--quiet=2"])
            apt(command)
        missing = missing_packages(missing)
    if missing:
        raise TestbedError(f"could not install {' '.join(missing)}", "see what apt-get says above", code=3)
    try:
        pwd.getpwnam(JOB_USER)
    except KeyError:
        subprocess.run(["useradd", "--uid", str(JOB_UID), "--create-home", JOB_USER])
    for path, option in (("/etc/subuid", "--add-subuids"), ("/etc/subgid", "--add-subgids")):
        if not any(line.startswith(f"{JOB_USER}:") for line in read_lines(path)):
            subprocess.run(["usermod", option, "100000-165535", JOB_USER])
    problem = user_problem()
    if problem:
        raise TestbedError(problem, f"free uid {JOB_UID}, or add the user by hand", code=3)


def apt(command, quiet=False):
    """Runs apt-get without questions, its output on standard error; gives its exit code."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    output = subprocess.DEVNULL if quiet else 2
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
