"""A Maven repository on loopback, made of Debian's /usr/share/maven-repo.

Files below the testbed's own `mirror` directory come first, so that a test can
add, replace or damage an artifact. Checksums (`.sha1`, `.md5`) are computed.
"""

import hashlib
import io
import os
import threading
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from layout import MAVEN_REPOSITORY

CHECKSUMS = {".sha1": hashlib.sha1, ".md5": hashlib.md5}


class MirrorHandler(SimpleHTTPRequestHandler):
    """Answers GET and HEAD for files; a directory is not found, as with many mirrors."""

    roots = ()
    access_log = None

    def translate_path(self, path):
        """The file of the first root that has it; a path that leaves the roots has none."""
        parts = PurePosixPath(unquote(urlsplit(path).path)).parts[1:]
        if ".." in parts:
            return os.devnull + "/none"
        candidates = [os.path.join(root, *parts) for root in self.roots]
        return next((each for each in candidates if os.path.exists(each)), candidates[-1])

    def send_head(self):
        """A file as it is, or the checksum of the file it is named after."""
        path = self.translate_path(self.path)
        if os.path.isfile(path):
            return super().send_head()
        base, suffix = os.path.splitext(self.path)
        named_after = self.translate_path(base)
        if suffix not in CHECKSUMS or not os.path.isfile(named_after):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        with open(named_after, "rb") as file:
            body = CHECKSUMS[suffix](file.read()).hexdigest().encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def log_message(self, format, *arguments):
        """One line a request: time, method, path, status."""
        self.access_log.write(f"{self.log_date_time_string()} {format % arguments}\n")


def serve(layout):
    """Serves in the background of this process, for as long as it lives; gives the URL."""
    access_log = open(layout.log / "maven-access.log", "a", buffering=1)
    roots = (str(layout.mirror), str(MAVEN_REPOSITORY))
    handler = type("Handler", (MirrorHandler,), {"roots": roots, "access_log": access_log})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"
