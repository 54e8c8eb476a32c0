#!/usr/bin/env python3
"""A registry behind TLS whose certificate an authority of its own signed: answers every manifest with one digest.

    tls_registry.py DIRECTORY

Puts ca.crt and other.crt (an authority that did not sign) into the directory, prints the port, and serves until
its standard input ends.
"""

import http.server
import ssl
import subprocess
import sys
import threading

DIGEST = "sha256:" + "5" * 64


class Registry(http.server.BaseHTTPRequestHandler):
    """Answers like a registry that knows every name."""

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Docker-Content-Digest", DIGEST)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, stderr=subprocess.DEVNULL)


def main():
    folder = sys.argv[1]
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name} of a test",
                "-keyout", f"{name}.key", "-out", f"{name}.crt", folder=folder)
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key",
            "-out", "server.csr", folder=folder)
    with open(f"{folder}/names", "w", encoding="ascii") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "server.crt", folder=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/server.crt", f"{folder}/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
