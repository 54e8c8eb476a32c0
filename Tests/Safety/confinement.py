"""Confines a program that runs Larder against an attacker: a mistake here must not reach the machine.

The program begins again in a mount and PID namespace of its own. Its root is a small tmpfs that holds the
system's libraries read-only and a play area of two file systems made for it: an ext4 in a file, and a tmpfs.
The machine's own root is not in it. Larder and the attacker run as an ordinary user there, and who owns the
parents of the volumes is root, so that no volume can be replaced by a link.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PLAY = Path("/play")
MARK = Path("/this-is-no-real-root")
USER = 1001
PYTHON = "/usr/bin/python3"  # one whose libraries are all in /usr
LIBC = ctypes.CDLL(None, use_errno=True)
PIVOT_ROOT = 155  # x86_64
MNT_DETACH = 2


def call(*argv):
    """Runs a command that must succeed."""
    result = subprocess.run([str(a) for a in argv], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"`{' '.join(map(str, argv))}` failed: {result.stderr.strip()}")


def begin_again_confined():
    """Runs this program once more in namespaces of its own, and ends with its exit code."""
    if os.geteuid() != 0:
        print("needs root to make namespaces and file systems")
        sys.exit(3)
    wrap = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    root = tempfile.mkdtemp(prefix="larder-confined-")
    try:
        code = subprocess.run([*wrap, PYTHON, *sys.argv], env={**os.environ, "CONFINED": root}).returncode
    finally:
        os.rmdir(root)  # what was mounted on it went with the namespace
    sys.exit(code)


def libraries(program):
    """The directories outside /usr and /lib that a program loads libraries from."""
    listing = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    found = {Path(w).parent for w in listing.split() if w.startswith("/")}
    return {d for d in found if d.parts[1] not in ("usr", "lib", "lib64", "bin", "sbin")}


def bind(source, root):
    """Shows a directory in the new root, read-only."""
    target = root / str(source).lstrip("/")
    target.mkdir(parents=True, exist_ok=True)
    call("mount", "--bind", source, target)
    call("mount", "-o", "remount,bind,ro,nosuid", target)


def confine(program, size="700M", inodes=100_000):
    """Moves this process into the small root; the play area then lies at /play/ext4 and /play/tmpfs."""
    root = Path(os.environ["CONFINED"])
    call("mount", "-t", "tmpfs", "-o", "mode=0755,size=2G,nosuid", "confined", root)
    for name in ("usr", "bin", "sbin", "lib", "lib64", "etc"):
        source = Path("/") / name
        if source.is_symlink():
            (root / name).symlink_to(os.readlink(source))
        elif source.is_dir():
            bind(source, root)
    for directory in {*libraries(program), Path(program).resolve().parent, Path(__file__).resolve().parent}:
        bind(directory, root)
    for name in ("proc", "dev", "tmp", "old", "play/ext4", "play/tmpfs", "play/state"):
        (root / name).mkdir(parents=True, exist_ok=True)
    call("mount", "-t", "proc", "-o", "nosuid,nodev,noexec", "proc", root / "proc")
    for name, minor in (("null", 3), ("zero", 5), ("urandom", 9)):
        os.mknod(root / "dev" / name, 0o20666, os.makedev(1, minor))
        os.chmod(root / "dev" / name, 0o666)
    image = root / "ext4.img"
    call("truncate", "-s", size, image)
    call("mkfs.ext4", "-q", "-F", "-N", str(inodes), image)
    # Every read moves an access time, so that the check sees it.
    call("mount", "-o", "loop,strictatime,nosuid", image, root / "play/ext4")
    call("mount", "-t", "tmpfs", "-o", "strictatime,nosuid,mode=0755,size=1G", "play", root / "play/tmpfs")
    os.chmod(root / "tmp", 0o1777)
    os.chown(root / "play/state", USER, USER)
    (root / MARK.name).touch()
    old = os.fsencode(root / "old")
    os.chdir(root)
    if LIBC.syscall(PIVOT_ROOT, os.fsencode(root), old) != 0:
        raise SystemExit(f"pivot_root: {os.strerror(ctypes.get_errno())}")
    os.chdir("/")
    if LIBC.umount2(b"/old", MNT_DETACH) != 0:
        raise SystemExit(f"the machine's root cannot be let go: {os.strerror(ctypes.get_errno())}")
    os.rmdir("/old")


def check_confinement(volume):
    """Ends the program unless a mistake of Larder's could reach nothing but the play area."""
    volume = Path(volume)
    reasons = []
    if not MARK.exists() or os.path.exists("/old") or os.listdir("/play") == []:
        reasons.append("this is the machine's own root")
    if os.getpid() != 1:
        reasons.append("this is not the first process of its namespace")
    if volume.resolve() != volume or not volume.is_relative_to(PLAY):
        reasons.append(f"{volume} leads out of the play area")
    for parent in volume.parents:
        found = os.stat(parent)
        if found.st_uid != 0 or found.st_mode & 0o022:
            reasons.append(f"{parent} is not root's alone")
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            _, place, _, options, *_ = line.split()
            own = place == "/" or place == "/proc" or place.startswith("/play")
            if not own and "ro" not in options.split(","):
                reasons.append(f"{place} can be written")
    if reasons:
        raise SystemExit("NOT CONFINED: " + "; ".join(reasons))


def as_user(argv, **options):
    """Starts a program as the ordinary user, with nothing of the caller's rights."""
    return subprocess.Popen(
        [str(a) for a in argv], user=USER, group=USER, extra_groups=[], cwd="/", start_new_session=True, **options)
