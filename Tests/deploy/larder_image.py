"""Larder's own image, built by Buildah from deploy/image/Containerfile on a stand-in for its base.

No registry can be reached in a test. The base is made from the Debian packages that
gcr.io/distroless/cc-debian12 is made of; the program is the one that the tests use, laid out by
deploy/image/stage.sh as the stage `build` does it.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "localhost/larder:test"
BASE_PACKAGES = ["libc6", "libgcc-s1", "libstdc++6"]
LIBRARY = re.compile(r"(/usr)?/lib(64|/[\w-]+-linux-gnu)/[^/]+\.so[.0-9]*")


def run(*command, **options):
    """Runs a command, gives what it prints, and ends the test with all of its words if it fails."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed ({result.returncode}):\n{result.stdout}{result.stderr}")
    return result.stdout


def storage(work):
    """The flags of Buildah and Podman for a store of the test's own."""
    return [f"--root={work}/store", f"--runroot={work}/run", "--storage-driver=vfs"]


def build_base(work):
    """The stand-in for distroless/cc: the shared libraries of its packages, certificates, /tmp, and nothing else."""
    tree = work / "base"
    for path in run("dpkg", "--listfiles", *BASE_PACKAGES).splitlines():
        if LIBRARY.fullmatch(path) and Path(path).exists():
            target = tree / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    certificates = tree / "etc/ssl/certs"
    certificates.mkdir(parents=True)
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", certificates)
    (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/sbin/nologin\n")
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    (work / "base.Containerfile").write_text("FROM scratch\nCOPY . /\n")
    run("buildah", *storage(work), "build", "--isolation=chroot", "--tag=localhost/base:test",
        f"--file={work}/base.Containerfile", tree)


def build(work, program):
    """Builds the image, and gives where its files were laid out."""
    build_base(work)
    staged = work / "built/image"
    run(REPOSITORY / "deploy/image/stage.sh", program, REPOSITORY / "Package.resolved", staged)
    run("buildah", *storage(work), "build", "--isolation=chroot", f"--tag={NAME}",
        "--build-arg=BASE=localhost/base:test", f"--build-context=build={work}/built",
        f"--ignorefile={REPOSITORY}/deploy/image/Containerfile.dockerignore",
        f"--file={REPOSITORY}/deploy/image/Containerfile", REPOSITORY)
    return staged


def properties(work, staged, program, validator):
    """What must hold of the image, by name."""
    image = json.loads(run("podman", *storage(work), "image", "inspect", NAME))[0]
    mount = Path(run("podman", *storage(work), "image", "mount", NAME).strip())
    try:
        files = [path for path in mount.rglob("*") if path.is_file() and not path.is_symlink()]
        shells = [path.name for path in files if path.name in {"sh", "bash", "busybox", "apt", "dpkg"}]
        raised = [path.name for path in files if path.stat().st_mode & 0o6000]
        open_to_all = [path.name for path in files if path.stat().st_mode & 0o002]
        symbols = run("readelf", "--sections", "--wide", mount / "usr/bin/larder")
        document = json.loads((mount / "usr/share/doc/larder/larder.spdx.json").read_text())
    finally:
        run("podman", *storage(work), "image", "unmount", NAME)
    shutil.copy(staged / "usr/share/doc/larder/larder.spdx.json", work / "larder.spdx.json")
    pins = json.loads((REPOSITORY / "Package.resolved").read_text())["pins"]
    named = {package["name"] for package in document["packages"]}
    size = sum(path.stat().st_size for path in staged.rglob("*") if path.is_file())
    version = run(program, "--version").split()[-1]
    print(f"     {image['Size'] / 1e6:.0f} MB, of which {size / 1e6:.0f} MB above the base")
    return {
        "user 1001 by number": image["Config"].get("User") == "1001:1001",
        "the program is the entry point": image["Config"].get("Entrypoint") == ["/usr/bin/larder"],
        "labels": image["Labels"].get("org.opencontainers.image.title") == "larder"
        and image["Labels"].get("org.opencontainers.image.version") == version,
        "no shell, no package manager": shells == [],
        "no setuid program, no file open to all": raised == [] and open_to_all == [],
        "stripped": ".symtab" not in symbols,
        "the bill of materials is SPDX": subprocess.run([validator, "-i", work / "larder.spdx.json"],
                                                        check=False).returncode == 0,
        "it names each resolved package and what is linked": {pin["identity"] for pin in pins} <= named
        and {"libsqlite3-0", "zlib1g"} <= named,
    }

