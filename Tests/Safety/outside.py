"""Watches a tree that nobody may touch: what is in it before and after, and whether it was opened meanwhile.

Reads nothing in a way that moves an access time, and nothing here uses Larder's code.
"""

import ctypes
import hashlib
import os
import stat
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
NAMES = {
    0x1: "read", 0x2: "written", 0x4: "changed in owner, mode or times", 0x20: "opened", 0x40: "moved away",
    0x80: "moved in", 0x100: "made in", 0x200: "removed from",
}
NOFOLLOW = 0x02000000


def facts(name, parent):
    """What must not change of one name: type, mode, owner, size, times, and what it holds."""
    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    own = [oct(found.st_mode), found.st_uid, found.st_gid, found.st_ino, found.st_mtime_ns, found.st_atime_ns]
    if stat.S_ISLNK(found.st_mode):
        # Reading a link moves its own access time: what it leads to is known by its size and times.
        return [*own, found.st_size]
    if stat.S_ISREG(found.st_mode):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOATIME | os.O_NOFOLLOW, dir_fd=parent)
        with open(descriptor, "rb") as file:
            own += [found.st_size, hashlib.sha256(file.read()).hexdigest()]
    return own


def snapshot(directory):
    """Every name below a directory, itself as `.`, with its facts."""
    found = {b".": facts(directory, None)}

    def walk(descriptor, path):
        for name in sorted(os.listdir(descriptor)):
            name = os.fsencode(name)
            found[path + name] = facts(name, descriptor)
            if stat.S_ISDIR(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                below = os.open(name, os.O_RDONLY | os.O_NOATIME | os.O_DIRECTORY, dir_fd=descriptor)
                walk(below, path + name + b"/")
                os.close(below)

    top = os.open(directory, os.O_RDONLY | os.O_NOATIME | os.O_DIRECTORY)
    walk(top, b"")
    os.close(top)
    return found


def differences(before, after):
    """A sentence for each name that is not as it was."""
    wrong = [f"{os.fsdecode(n)!r} is gone" for n in before.keys() - after.keys()]
    wrong += [f"{os.fsdecode(n)!r} appeared" for n in after.keys() - before.keys()]
    for name in before.keys() & after.keys():
        if before[name] != after[name]:
            wrong.append(f"{os.fsdecode(name)!r} was {before[name]} and is {after[name]}")
    return wrong


class Watch:
    """The kernel's own word on what was opened or changed, by inode, whatever path led there."""

    def __init__(self):
        self.descriptor = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self.names = {}

    def add(self, path, mask):
        """Watches one inode."""
        number = LIBC.inotify_add_watch(self.descriptor, os.fsencode(path), ctypes.c_uint32(mask | NOFOLLOW))
        if number < 0:
            raise OSError(ctypes.get_errno(), f"inotify_add_watch {path!r}")
        self.names[number] = path

    def add_tree(self, directory, names, linked):
        """Watches all names of a snapshot; files that have a name in a volume may be opened there, and get new
        links."""
        for name in sorted(names):
            self.add(os.path.join(os.fsencode(directory), name), 0x2 if name in linked else sum(NAMES))

    def seen(self):
        """A sentence for each thing that was done, once."""
        sentences = set()
        while True:
            try:
                data = os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                return sorted(sentences)
            at = 0
            while at < len(data):
                number, mask, _, length = struct.unpack_from("iIII", data, at)
                name = data[at + 16:at + 16 + length].rstrip(b"\0")
                at += 16 + length
                if number not in self.names:
                    continue
                path = os.path.normpath(os.path.join(self.names[number], name))
                sentences |= {f"{path!r} was {word}" for bit, word in NAMES.items() if mask & bit}

    def close(self):
        """Ends the watch."""
        os.close(self.descriptor)
