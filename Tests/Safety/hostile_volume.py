"""Builds volumes that a job has filled with all that could hurt, beside an outside that looks the same.

The outside holds a mirror of the volume's entries, a folder like Larder's own and a trash run, so that
whoever follows one link too many finds just what he looks for, and damages it.
"""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import confinement

DAY = 86_400
RUN = "20200101T000000Z-0000"
EVIL = [
    b"\x1b]0;evil\x07\x1b[2J", b"\xff\xfe\x80", b"two\nlines", b"\nlarder: done", b"\xe2\x80\xae7txt", b"a b'\"\\$(x)",
    b"\xc2\x9b31m", b"-rf", b"..\x7f", b"\xf0\x9f\xa6\x80" * 20,
]


class HostileVolume:
    """One volume with its outside."""

    def __init__(self, place, other, dice, long, number):
        self.dice, self.other, self.long = dice, Path(other), long
        self.top = Path(place) / "tree"
        self.root, self.outside = self.top / "cache", self.top / "outside"
        self.mounts, self.linked, self.entries = [], set(), []
        for directory in (self.top, self.root, self.outside):
            directory.mkdir()
        self.fill()
        self.make_outside()
        self.begin(number)
        for _ in range(dice.randint(6, 14)):
            dice.choice(self.hostilities)(self)
        self.own()

    def begin(self, number):
        """What every run meets, whatever its seed."""
        run = os.fsencode(self.root) + b"/.larder/trash/" + RUN.encode()
        first = [[run + b"/3", run + b"/gone-3"], [run], [os.fsencode(self.root) + b"/.larder/trash"]]
        for place in first[number] if number < len(first) else []:
            self.mount_at(place, self.outside / ("run" if number else "bound"))

    def fill(self):
        """Ordinary entries, long unused, with names that are not."""
        for number in range(self.dice.randint(6, 14)):
            name = os.fsencode(f"n{number}")
            if self.dice.random() < 0.25:
                name += self.dice.choice(EVIL)
            directory = os.fsencode(self.root) + b"/.m2/repository/g/" + name + b"/1"
            os.makedirs(directory)
            for file, text in (
                (name + b"-1.jar", self.dice.randbytes(self.dice.randint(0, 9000))),
                (name + b"-1.pom", b"<project><groupId>g</groupId></project>"),
                (b"_remote.repositories", b"%s-1.jar>central=\n%s-1.pom>central=\n" % (name, name)),
            ):
                self.write(directory + b"/" + file, text)
            self.entries.append(directory)
        for number in range(self.dice.randint(1, 4)):
            base = os.fsencode(self.root) + b"/caches/modules-2/files-2.1/org.x/y%d" % number
            self.write(base + b"/1.0/abc%d/y-1.0.jar" % number, self.dice.randbytes(3000))
            self.entries.append(base + b"/1.0")
        self.write(os.fsencode(self.root) + b"/caches/modules-2/modules-2.lock", bytes(17))
        self.write(os.fsencode(self.root) + b"/caches/journal-1/file-access.bin", self.dice.randbytes(90))
        for top in (self.root / ".m2", self.root / "caches"):
            self.age(top)

    def make_outside(self):
        """The outside: a mirror of the volume, files to link to, and folders like Larder's own."""
        for name in (".m2", "caches"):
            shutil.copytree(self.root / name, self.outside / "mirror" / name, symlinks=True)
        for number in range(4):
            self.write(os.fsencode(self.outside) + b"/files/precious-%d" % number, b"precious" * 20)
        self.write(os.fsencode(self.outside) + b"/bound/in/precious", b"mounted")
        own = os.fsencode(self.outside) + b"/larder"
        for run in (own + b"/trash/" + RUN.encode(), os.fsencode(self.outside) + b"/run"):
            for number in range(12):
                self.write(run + b"/%d/1.jar" % number, b"outside")
            self.write(run + b"/gone-1/1.jar", b"outside")
            self.write(run + b"/journal.json", self.journal(b"loot/in"))
        self.write(own + b"/volume-id", b"0123456789abcdef\n")
        self.age(self.outside)

    def journal(self, path):
        """A run's journal that says its entries came from that path."""
        line = {"id": 1, "pool": "maven", "key": "k", "inode": 1, "bytes": 1, "last_used": "2020-01-01T00:00:00Z"}
        lines = [{**line, "path": f"{path.decode()}{n}"} for n in range(12)]
        head = {"schema": "larder.trash/1", "run": RUN, "created_at": "2020-01-01T00:00:00Z", "entries": lines}
        return json.dumps(head).encode()

    def write(self, path, content):
        """Makes a file and the directories above it."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)

    def age(self, top):
        """Makes a tree look unused for 40 days."""
        then = time.time() - 40 * DAY
        for path, _, files in os.walk(os.fsencode(top), topdown=False):
            for name in [*files, b"."]:
                os.utime(os.path.join(path, name), (then, then), follow_symlinks=False)

    def target(self):
        """Somewhere outside, absolute or by many steps up."""
        name = self.dice.choice(["files", "files/precious-0", "mirror", "run", "bound/in", "larder"])
        if self.dice.random() < 0.5:
            return str(self.outside / name)
        return "../" * self.dice.randint(1, 12) + f"{str(self.outside)[1:]}/{name}"

    def put(self, path):
        """Something that is no ordinary file, under that name; what holds a mount point cannot be put away."""
        if any(mount == path or mount.startswith(path + b"/") for mount in self.mounts):
            return
        subprocess.run(["rm", "-rf", "--one-file-system", path], check=True)
        kind = self.dice.choice(["link", "link", "fifo", "socket", "zero", "block", "hard", "huge"])
        if kind == "link":
            os.symlink(os.fsencode(self.target()), path)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            here = os.getcwd()
            os.chdir(os.path.dirname(path))
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(os.path.basename(path)[:100])
            os.chdir(here)
        elif kind == "zero":
            os.mknod(path, 0o20666, os.makedev(1, 5))
        elif kind == "block":
            os.mknod(path, 0o60666, os.makedev(259, 4095))
        elif kind == "huge":
            with open(path, "wb") as file:
                file.truncate(1 << 33)
        else:
            source = os.fsencode(self.outside) + b"/files/precious-%d" % self.dice.randrange(4)
            try:
                os.link(source, path)
                self.linked.add(source)
            except OSError:
                os.mkfifo(path)  # below a mount point of another file system

    # What a job may have done. Each is one method, chosen at random, some more than once.

    def swap_entry(self):
        self.put(self.dice.choice(self.entries))

    def swap_parent(self):
        self.put(os.path.dirname(self.dice.choice(self.entries)))

    def swap_file(self):
        directory = self.dice.choice(self.entries)
        if os.path.isdir(directory) and not os.path.islink(directory) and os.listdir(directory):
            name = self.dice.choice(sorted(os.listdir(directory)))
            self.put(directory + b"/" + name)
            then = time.time() - 40 * DAY
            os.utime(directory, (then, then))

    def swap_record(self):
        name = self.dice.choice([b"caches/journal-1/file-access.bin", b"caches/modules-2/modules-2.lock", b"caches/x.lock"])
        self.put(os.fsencode(self.root) + b"/" + name)

    def swap_own(self):
        own = os.fsencode(self.root) + b"/.larder"
        # A folder that cannot be used ends every command early: seldom.
        places = [b"", b"/trash"] if self.dice.random() < 0.1 else [b"/lock", b"/volume-id", b"/volume-id.tmp", b"/atime-probe"]
        place = self.dice.choice(places)
        if place and not os.path.islink(own):
            os.makedirs(own, exist_ok=True) if not os.path.lexists(own) or os.path.isdir(own) else None
        if not place or os.path.isdir(own) and not os.path.islink(own):
            self.put(own + place)

    def forge_run(self):
        trash = os.fsencode(self.root) + b"/.larder/trash"
        if any(os.path.islink(p) for p in (trash, os.path.dirname(trash))) or os.path.exists(trash + b"/" + RUN.encode()):
            return
        try:
            path = self.dice.choice([b"../outside/x", b"link/x", b"/play/x", b".larder/x", b"a/../../x", b"m/n"])
            self.write(trash + b"/" + RUN.encode() + b"/journal.json", self.journal(path))
            self.write(trash + b"/" + RUN.encode() + b"/0/loot", b"loot")
            self.put(trash + b"/" + RUN.encode() + b"/1")
            os.symlink(os.fsencode(self.outside), os.fsencode(self.root) + b"/link")
        except (FileExistsError, NotADirectoryError):
            return

    def go_deep(self):
        top = self.dice.choice([*self.entries, os.fsencode(self.root) + b"/deep"])
        if os.path.isdir(top) and not os.path.islink(top) or not os.path.lexists(top):
            os.makedirs(top, exist_ok=True)
            here = os.getcwd()
            os.chdir(top)
            then = time.time() - 40 * DAY
            for _ in range(2000):
                if not os.path.isdir("d" * 9):
                    os.mkdir("d" * 9)
                os.utime(".", (then, then))
                os.chdir("d" * 9)
            os.chdir(here)

    def go_wide(self):
        top = self.dice.choice([*self.entries, os.fsencode(self.root) + b"/wide"])
        if os.path.isdir(top) and not os.path.islink(top) or not os.path.lexists(top):
            os.makedirs(top, exist_ok=True)
            for number in range(150_000 if self.long else 20_000):
                try:
                    os.close(os.open(top + b"/w%d" % number, os.O_CREAT | os.O_WRONLY))
                except OSError:
                    break  # no inode is left
            then = time.time() - 40 * DAY
            os.utime(top, (then, then))

    def mount(self):
        entry = self.dice.choice(self.entries)
        places = [entry + b"/mounted", entry, os.fsencode(self.root) + b"/mnt", os.path.dirname(entry) + b"/2"]
        run = os.fsencode(self.root) + b"/.larder/trash/" + RUN.encode()
        places += [run + b"/3", run + b"/gone-3", run]
        if self.dice.random() < 0.1:
            places = [os.fsencode(self.root) + b"/.larder/trash", os.fsencode(self.root) + b"/.larder"]
        place = self.dice.choice(places)
        steps = place[len(os.fsencode(self.root)) + 1:].split(b"/")
        for count in range(1, len(steps) + 1):
            step = os.fsencode(self.root) + b"/" + b"/".join(steps[:count])
            if os.path.islink(step) or os.path.lexists(step) and not os.path.isdir(step):
                return
        source = self.outside / self.dice.choice(["bound", "larder", "larder/trash", "run"])
        if self.dice.random() < 0.3:
            source = self.other
        self.mount_at(place, source)

    def mount_at(self, place, source):
        """Shows a part of the outside at a place of the volume."""
        os.makedirs(place, exist_ok=True)
        confinement.call("mount", "--bind", source, os.fsdecode(place))
        self.mounts.append(place)

    def give_away(self):
        # What cannot be read keeps a prune from anything: seldom.
        modes = [0o755, 0o700] if self.dice.random() < 0.2 else [0o755]
        for directory in self.dice.sample(self.entries, 2):
            if os.path.isdir(directory) and not os.path.islink(directory):
                os.chown(directory, 4711, 4711)
                os.chmod(directory, self.dice.choice(modes))

    hostilities = [
        swap_entry, swap_entry, swap_parent, swap_file, swap_file, swap_file, swap_record, swap_own, swap_own,
        forge_run, forge_run, go_deep, go_wide, mount, mount, give_away,
    ]

    def own(self):
        """Gives the volume and the outside to the user of the jobs, as far as they are not another's."""
        user = str(confinement.USER)
        # What is mounted is part of the outside; chown takes a mount within its own source for a broken disk.
        script = 'set -e; while [ "$1" != -- ]; do umount -cl "$1"; shift; done; exec chown -hR --from=0:0 "$@"'
        confinement.call("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh",
                         *map(os.fsdecode, reversed(self.mounts)), "--", f"{user}:{user}", self.root, self.outside)

    def remove(self):
        """Unmounts and removes all."""
        for place in reversed(self.mounts):
            while ctypes.CDLL(None).umount2(place, confinement.MNT_DETACH) == 0:
                pass
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            for line in reversed(mounts.readlines()):
                place = line.split()[1].encode().decode("unicode_escape").encode("latin1")
                if place.startswith(os.fsencode(self.top)):
                    ctypes.CDLL(None).umount2(place, confinement.MNT_DETACH)
        subprocess.run(["rm", "-rf", "--one-file-system", str(self.top)], check=True)
