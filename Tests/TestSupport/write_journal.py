#!/usr/bin/env python3
"""Writes a Gradle access journal (caches/journal-1/file-access.bin) from the documented format.

    write_journal.py FILE < LINES

A line is milliseconds, a space, and a path; a later line for a path replaces
an earlier one. Shares no code with the reader under test. A prefix of `s:`
before the milliseconds serialises a short path as newer Gradles do.
"""

import bisect
import hashlib
import struct
import sys

MOST = 512
NOWHERE = -1
FREE_LIST_SIZE = 6160


class Node:
    """An index block: hashes with the values below them, and one child more than hashes, or none."""

    def __init__(self):
        self.hashes, self.values, self.children = [], [], []

    def insert(self, key, value):
        """Puts a value in; gives (hash, value, right node) where the node had to be split."""
        at = bisect.bisect_left(self.hashes, key)
        if at < len(self.hashes) and self.hashes[at] == key:
            self.values[at] = value
        elif not self.children:
            self.hashes.insert(at, key)
            self.values.insert(at, value)
        else:
            split = self.children[at].insert(key, value)
            if split:
                self.hashes.insert(at, split[0])
                self.values.insert(at, split[1])
                self.children.insert(at + 1, split[2])
        return self.split() if len(self.hashes) > MOST else None

    def split(self):
        """Moves the upper half to a new node."""
        middle, right = len(self.hashes) // 2, Node()
        key, value = self.hashes[middle], self.values[middle]
        right.hashes, self.hashes = self.hashes[middle + 1:], self.hashes[:middle]
        right.values, self.values = self.values[middle + 1:], self.values[:middle]
        right.children, self.children = self.children[middle + 1:], self.children[:middle + 1]
        return key, value, right


def block(kind, payload, reserved):
    """One block: type, reserved size, payload, count, padding."""
    written = struct.pack(">bi", kind, reserved) + payload + struct.pack(">i", 5 + len(payload))
    return written + bytes(reserved + 9 - len(written))


def key_of(path, newer):
    """The hash of a path."""
    if newer:
        text = path.encode("ascii")
        text = text[:-1] + bytes([text[-1] | 0x80])
    else:
        units = struct.unpack(f">{len(path.encode('utf-16-be')) // 2}H", path.encode("utf-16-be"))
        number, text = len(units) + 1, b""
        first, number = number & 0x3F, number >> 6
        text += bytes([0x80 | first | (0x40 if number else 0)])
        while number:
            low, number = number & 0x7F, number >> 7
            text += bytes([low | (0x80 if number else 0)])
        text += b"".join(chr(unit).encode("utf-8", "surrogatepass") for unit in units)
    return struct.unpack(">q", hashlib.md5(text).digest()[-8:])[0]


def write(root, path):
    """Lays the tree out: data before the node that points to it, children before their parents."""
    out = bytearray(block(0x44, b"", FREE_LIST_SIZE) + block(0x55, bytes(10), 10))

    def lay(node):
        below = [lay(child) for child in node.children]
        data = []
        for value in node.values:
            data.append(len(out))
            out.extend(block(0x33, struct.pack(">iiq", 8, 8, value), 16))
        payload = struct.pack(">i", len(node.hashes))
        for at, key in enumerate(node.hashes):
            payload += struct.pack(">qqq", key, data[at], below[at] if below else NOWHERE)
        payload += struct.pack(">q", below[-1] if below else NOWHERE)
        position = len(out)
        out.extend(block(0x77, payload, 12 + 24 * MOST))
        return position

    header = block(0x55, struct.pack(">qh", lay(root), MOST), 10)
    out[FREE_LIST_SIZE + 9:FREE_LIST_SIZE + 9 + len(header)] = header
    with open(path, "wb") as file:
        file.write(out)


def main():
    """Reads the lines, writes the file."""
    root = Node()
    for line in sys.stdin:
        time, path = line.rstrip("\n").split(" ", 1)
        newer = time.startswith("s:")
        split = root.insert(key_of(path, newer), int(time.removeprefix("s:")))
        if split:
            left, root = root, Node()
            root.hashes, root.values, root.children = [split[0]], [split[1]], [left, split[2]]
    write(root, sys.argv[1])


main()
