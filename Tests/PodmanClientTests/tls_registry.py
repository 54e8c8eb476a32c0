#!/usr/bin/env python3
"""A registry behind TLS whose certificate an authority of its own signed: answers every manifest with one digest.

    tls_registry.py DIRECTORY [clients] [TLSv1_2]

Puts ca.crt and other.crt (an authority that did not sign) into the directory, prints the port, and serves until
its standard input ends. With `clients` it demands a client certificate that ca.crt vouches for: client.cert with
client.key is one, stranger.cert with stranger.key is of other.crt.
"""

import http.server
import ssl
import subprocess
import sys
import threading

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
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


def sign(name, authority, certificate, key, folder):
    """Makes a key, and its certificate by an authority."""
    openssl("req", *NEW_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", "request.csr",
            folder=folder)
    openssl("x509", "-req", "-in", "request.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", certificate, folder=folder)


def main():
    folder = sys.argv[1]
    for name in ("ca", "other"):
        openssl("req", "-x509", *NEW_KEY, "-days", "2", "-subj", f"/CN={name} of a test",
                "-keyout", f"{name}.key", "-out", f"{name}.crt", folder=folder)
    with open(f"{folder}/names", "w", encoding="ascii") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    sign("localhost", "ca", "server.crt", "server.key", folder)
    http.server.ThreadingHTTPServer.handle_error = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/server.crt", f"{folder}/server.key")
    if "clients" in sys.argv:
        sign("a client", "ca", "client.cert", "client.key", folder)
        sign("a stranger", "other", "stranger.cert", "stranger.key", folder)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(f"{folder}/ca.crt")
    if "TLSv1_2" in sys.argv:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
