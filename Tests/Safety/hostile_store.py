"""Builds image stores that a job has filled with all that could hurt, beside an outside that looks the same.

And a Podman to prune them by: it knows two requests, and removes an image's record as Podman does.
"""

import contextlib
import http.server
import json
import os
import shutil
import socketserver
import threading
import urllib.parse

from hostile_volume import EVIL, HostileVolume

LONG_AGO = "2020-01-01T00:00:00Z"
RECORDS = [
    b"vfs-layers/layers.json", b"vfs-images/images.json", b"vfs-containers/containers.json",
    b"vfs-layers/volatile-layers.json", b"vfs-containers/volatile-containers.json",
]
LOCKS = [b"storage.lock", b"vfs-layers/layers.lock", b"vfs-images/images.lock", b"vfs-containers/containers.lock"]


class HostileStore(HostileVolume):
    """One image store with its outside."""

    def digits(self):
        """An ID."""
        return self.dice.randbytes(32).hex()

    def begin(self, number):
        """Every run meets a store that is shown elsewhere, in the order of its number."""
        # A record that is none keeps Larder from anything: in some of the stores only.
        self.is_spoilt = number % 3 == 1
        place = os.fsencode(self.root) + [b"/vfs/dir/bound", b"/vfs-containers/bound"][number % 2]
        self.mount_at(place, self.outside / "bound")

    def fill(self):
        """Images on layers that they share, a dead container, and what a killed pull left."""
        root = os.fsencode(self.root)
        layers, images, containers = [], [], []
        for number in range(self.dice.randint(4, 9)):
            parent = self.dice.choice(layers)["id"] if layers and self.dice.random() < 0.6 else None
            layer = {"id": self.digits(), "created": LONG_AGO, "diff-size": self.dice.randint(1, 90_000)}
            layers.append({**layer, **({"parent": parent} if parent else {})})
            if number % 4 == 3:
                layers[-1]["flags"] = {"incomplete": True}
            self.write(root + b"/vfs/dir/" + layer["id"].encode() + b"/file", self.dice.randbytes(3000))
            self.entries.append(root + b"/vfs/dir/" + layer["id"].encode())
        for number in range(self.dice.randint(3, 7)):
            name = f"registry.test/app{number}:1"
            if self.dice.random() < 0.3:
                name = f"registry.test/{self.dice.choice(EVIL).decode(errors='replace')}:1"
            image = {"id": self.digits(), "names": [name], "layer": self.dice.choice(layers)["id"]}
            images.append({**image, "digest": "sha256:" + self.digits(), "created": LONG_AGO})
            self.write(root + b"/vfs-images/" + image["id"].encode() + b"/manifest", b"{}")
            self.entries.append(root + b"/vfs-images/" + image["id"].encode())
        for number in range(2):
            container = {"id": self.digits(), "image": images[0]["id"], "layer": layers[0]["id"]}
            containers.append({**container, "created": LONG_AGO, "names": [f"job{number}"]})
            own = root + b"/vfs-containers/" + container["id"].encode() + b"/userdata"
            os.makedirs(own)
            os.mkfifo(own + b"/ctl")
            self.entries.append(own)
        for path, records in zip(RECORDS, (layers, images, containers)):
            self.write(root + b"/" + path, json.dumps(records).encode())
        for path in LOCKS:
            self.write(root + b"/" + path, bytes(64))
        self.write(os.fsencode(self.top) + b"/events/job.log", b"")
        self.age(self.top)

    def make_outside(self):
        """The outside: a mirror of the store, files to link to, and a folder like Larder's own."""
        shutil.copytree(
            self.root, self.outside / "mirror", symlinks=True, ignore=shutil.ignore_patterns("ctl"))
        for number in range(4):
            self.write(os.fsencode(self.outside) + b"/files/precious-%d" % number, b"precious" * 20)
        for place in (b"/bound/in/precious", b"/run/1/precious", b"/larder/trash/precious"):
            self.write(os.fsencode(self.outside) + place, b"outside")
        self.write(os.fsencode(self.outside) + b"/larder/volume-id", b"0123456789abcdef\n")
        self.age(self.outside)

    def own(self):
        """The event logs are the jobs' as well."""
        super().own()
        os.chown(self.top / "events", self.root.stat().st_uid, -1)

    # What a job may have done.

    def swap_store_record(self):
        self.put(os.fsencode(self.root) + b"/" + self.dice.choice([*LOCKS, *(RECORDS[2:] if self.is_spoilt else [])]))

    def swap_main_record(self):
        if self.is_spoilt:
            self.put(os.fsencode(self.root) + b"/" + self.dice.choice(RECORDS[:2]))

    def swap_folder(self):
        if self.is_spoilt:
            self.put(os.fsencode(self.root) + self.dice.choice([b"/vfs", b"/vfs-containers", b"/vfs/dir"]))

    def swap_pipe(self):
        pipes = [entry for entry in self.entries if entry.endswith(b"userdata") and os.path.isdir(entry)]
        if pipes:
            self.put(self.dice.choice(pipes) + b"/ctl")

    def swap_log(self):
        self.put(os.fsencode(self.top) + b"/events/" + self.dice.choice([b"job.log", b"other.log", b"\x1b[2J.log"]))

    def forge_record(self):
        path = os.fsencode(self.root) + b"/" + self.dice.choice(RECORDS[2:])
        if not self.is_spoilt or os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
            return
        evil = self.dice.choice(["../../outside", "/play", "..", "a/b", "\x1b[2J", "two\nlines", "x" * 70_000, ""])
        loop = [{"id": "a", "parent": "b", "created": LONG_AGO}, {"id": "b", "parent": "a", "created": LONG_AGO}]
        text = self.dice.choice([
            json.dumps([{"id": evil, "layer": evil, "image": evil, "names": [evil], "created": LONG_AGO}]),
            json.dumps(loop), "[" * 200_000, '[{"id":' * 100_000, "[" + "0," * 3_000_000 + "0]", "\x00" * 99, "null",
            json.dumps([{"id": "big", "created": LONG_AGO, "diff-size": 1 << 62}] * 3),
        ])
        self.write(path, text.encode())

    def forge_log(self):
        line = self.dice.choice(["{" * 100_000, "\x00" * 1000, "\x1b]0;evil\x07" * 50, '{"Time":"' + "9" * 99 + '"}'])
        with contextlib.suppress(OSError):
            descriptor = os.open(self.top / "events/forged.log", os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o644)
            os.write(descriptor, (line + "\n").encode())
            os.close(descriptor)

    def strange_directory(self):
        path = os.fsencode(self.root) + b"/vfs/dir/" + self.dice.choice(EVIL).replace(b"/", b"")
        if os.path.isdir(os.path.dirname(path)) and not os.path.islink(os.path.dirname(path)):
            if not os.path.lexists(path):
                os.mkdir(path)

    hostilities = [
        swap_store_record, swap_store_record, swap_main_record, swap_folder, swap_pipe, swap_log, forge_record,
        forge_log, strange_directory, HostileVolume.swap_entry, HostileVolume.swap_file, HostileVolume.swap_own,
        HostileVolume.go_deep, HostileVolume.go_wide, HostileVolume.give_away,
    ]


class Podman(socketserver.ThreadingUnixStreamServer):
    """Answers as Podman does, and removes images from a store's records: through no link that a job put there."""

    daemon_threads = True

    def __init__(self, path, root, containers=()):
        """Knows containers, of these IDs, none of which mounts an image."""
        self.root, self.removed, self.containers = root, 0, containers
        super().__init__(str(path), Answering)
        os.chmod(path, 0o666)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def remove(self, name):
        """Removes an image's record; whether it was there."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with contextlib.ExitStack() as stack:
            folder = os.open(self.root / "vfs-images", flags | os.O_DIRECTORY)
            stack.callback(os.close, folder)
            if not os.path.isfile(f"/proc/self/fd/{folder}/images.json"):
                return False
            descriptor = os.open("images.json", flags | os.O_NOATIME, dir_fd=folder)
            with open(descriptor, "rb") as file:
                images = json.loads(file.read(1 << 20))
            left = [image for image in images if name not in (image["id"], *image["names"])]
            if len(left) == len(images):
                return False
            draft = f".tmp-{threading.get_ident()}"
            descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644, dir_fd=folder)
            with open(descriptor, "w", encoding="utf-8") as file:
                os.fchown(descriptor, os.stat(self.root).st_uid, -1)
                json.dump(left, file)
            os.rename(draft, "images.json", src_dir_fd=folder, dst_dir_fd=folder)
            self.removed += 1
            return True


class Answering(http.server.BaseHTTPRequestHandler):
    """One connection."""

    def address_string(self):
        return "socket"

    def log_message(self, *_):
        pass

    def do_DELETE(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        name = query.get("images", [""])[0]
        try:
            found = self.server.remove(name)
        except (OSError, ValueError, KeyError, TypeError):
            found = False
        self.answer(
            200 if found else 404,
            {"Deleted": [name], "Untagged": [name], "ExitCode": 0} if found else {"message": "none"})

    def do_POST(self):
        self.answer(500, {"message": "\x1b[2Jno\n"})

    def do_GET(self):
        where = urllib.parse.urlsplit(self.path).path
        inspected = [c for c in self.server.containers if where.endswith(f"/containers/{c}/json")]
        if where.endswith("/info"):
            self.answer(200, {
                "host": {}, "version": {"Version": "4.3.1"},
                "store": {"graphDriverName": "vfs", "graphRoot": str(self.server.root)}})
        elif where.endswith("/containers/json"):
            self.answer(200, [{"Id": c, "Names": [c]} for c in self.server.containers])
        elif inspected:
            self.answer(200, {"Id": inspected[0], "Mounts": []})
        else:
            self.do_POST()

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
