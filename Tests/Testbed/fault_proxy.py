#!/usr/bin/env python3
"""A registry that fails on command: passes requests on to a real one, or does what a file says.

    fault_proxy.py UPSTREAM_HOST:PORT MODE_FILE

Prints its own HOST:PORT, and ends with the process that started it. The file is read anew
at each request; its first line is one of

    pass            passes the request on
    down            closes the connection without an answer
    hang            passes on half of a blob, then nothing
    cut             passes on half of a blob, then closes the connection
    corrupt         passes on blobs with their first byte changed
    status N [S]    answers N, with Retry-After of S seconds
    once N [S]      as `status`, for one request; then writes `pass` into the file
    auth USER:PASS  answers 401 to a request without these credentials
    token USER:PASS answers 401 to a request without a token, which the proxy gives for these
    large           passes on manifests with 5 MB of spaces behind them
    long            says that manifests are 100 bytes longer than they are, and closes the connection
    slow N          passes on each blob at N megabytes a second
    plain           leaves out the digests that a registry puts into its headers
"""

import base64
import http.client
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

upstream, mode_file = sys.argv[1:3]
lock = threading.Lock()
CODES = {401: "UNAUTHORIZED", 404: "MANIFEST_UNKNOWN", 429: "TOOMANYREQUESTS"}


def next_mode():
    """The words of the mode that holds for this request."""
    with lock:
        with open(mode_file) as file:
            words = file.readline().split()
        if words[0] == "once":
            with open(mode_file, "w") as file:
                file.write("pass\n")
            words[0] = "status"
        return words


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answers as the mode says."""
        mode, *rest = next_mode()
        if mode == "down":
            self.close_connection = True
            return
        if mode == "status":
            self.refuse(int(rest[0]), rest[1:])
            return
        if mode == "auth":
            wanted = "Basic " + base64.b64encode(rest[0].encode()).decode()
            if self.headers.get("Authorization") != wanted:
                self.refuse(401, [])
                return
        if mode == "token":
            wanted = "Basic " + base64.b64encode(rest[0].encode()).decode()
            if self.path.startswith("/token?"):
                if self.headers.get("Authorization") != wanted:
                    self.refuse(401, [])
                else:
                    self.answer(b'{"token": "one-for-all"}')
                return
            if self.headers.get("Authorization") != "Bearer one-for-all":
                here = self.headers["Host"]
                self.refuse(401, [], f'Bearer realm="http://{here}/token",service="test, one",scope="repository:x:pull"')
                return
        self.pass_on(mode, *rest)

    do_HEAD = do_GET

    def answer(self, body):
        """Answers with a document of its own."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, retry_after, challenge='Basic realm="test"'):
        """Answers with a registry's error."""
        code = CODES.get(status, "UNKNOWN")
        body = f'{{"errors":[{{"code":"{code}","message":"{code.lower()}"}}]}}'.encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", challenge)
        if retry_after:
            self.send_header("Retry-After", retry_after[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def pass_on(self, mode, *rest):
        """Fetches the answer from the real registry and sends it, or a part of it."""
        connection = http.client.HTTPConnection(upstream, timeout=60)
        # Podman accepts several types of manifests, each in a header of its own.
        accepted = ", ".join(self.headers.get_all("Accept", []))
        connection.request(self.command, self.path, headers={"Accept": accepted} if accepted else {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        is_blob = "/blobs/" in self.path and len(body) > 10_000
        if is_blob and mode == "corrupt":
            body = bytes([body[0] ^ 255]) + body[1:]
        is_manifest = "/manifests/" in self.path and self.command == "GET"
        length = response.getheader("Content-Length")
        if is_manifest and mode == "large":
            body += b" " * 5_000_000
            length = str(len(body))
        if is_manifest and mode == "long":
            length = str(len(body) + 100)
            self.close_connection = True
        self.send_response(response.status)
        left_out = ["date", "server", "connection", "transfer-encoding", "content-length"]
        if mode == "plain":
            left_out += ["docker-content-digest", "etag"]
        for key, value in response.getheaders():
            if key.lower() not in left_out:
                self.send_header(key, value)
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        if is_blob and mode in ("hang", "cut"):
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if mode == "hang":
                self.rfile.read(1)
            self.close_connection = True
            return
        step = 50_000
        for start in range(0, len(body), step) if is_blob and mode == "slow" else ():
            self.wfile.write(body[start : start + step])
            time.sleep(step / 1e6 / float(rest[0]))
        if not (is_blob and mode == "slow"):
            self.wfile.write(body)

    def log_message(self, *_):
        """The access log is written elsewhere."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(f"127.0.0.1:{server.server_address[1]}", flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(1)
