#!/usr/bin/env python3
"""Runs what jobs run behind a proxy, with the environment that the runner gives them, and looks at what the proxy is asked.

    proxied.py DEPLOY MAVEN_HOME      Maven 3.9, as the job's image has; Debian's 3.8 and Gradle are in PATH

The proxy listens on loopback, notes each request, and refuses it: no artifact is fetched, and none has to be. Real Maven
looks at no HTTPS_PROXY, and whoever does asks a proxy for localhost too unless told otherwise: Testcontainers' mapped ports.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import tomllib
from pathlib import Path

import job_template
import runner_values

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>a</groupId><artifactId>b</artifactId><version>1</version>
<pluginRepositories><pluginRepository><id>inside</id><url>https://maven.inside.example/</url></pluginRepository>
<pluginRepository><id>network</id><url>https://10.11.12.13:1/</url></pluginRepository></pluginRepositories>
</project>"""
GRADLE = """
apply plugin: 'java'
repositories { maven { url 'https://repo.outside.example/' }; maven { url 'https://gradle.inside.example/' } }
dependencies { compile 'com.example.none:x:1.0' }
"""
# What Python's clients ask: a mapped port of a test container, and the world.
PYTHON = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
try:
    urllib.request.urlopen('http://python.outside.example/', timeout=20)
except OSError as error:
    print(error)
"""


class Listener:
    """A server on loopback that notes the first line of each request and gives one answer."""

    def __init__(self, answer):
        self.answer = answer
        self.lines = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """Answers until the program ends."""
        while True:
            connection, _ = self.server.accept()
            with connection:
                self.lines.append(connection.recv(4096).split(b"\r\n")[0].decode(errors="replace"))
                connection.sendall(self.answer)

    def asked(self):
        """The hosts it was asked for since the last time."""
        hosts = {re.sub(r"^\w+ (?:\w+://)?([^/: ]*).*", r"\1", line) for line in self.lines}
        self.lines.clear()
        return hosts


def environment(deploy, port, work):
    """A job's variables, from the settings of a user's file by way of the runner's."""
    settings = {"proxy": f"http://127.0.0.1:{port}", "noProxy": ".inside.example,10.0.0.0/8"}
    with tempfile.TemporaryDirectory() as folder:
        objects = runner_values.render(deploy, Path(folder), "shared", ["proxy", "settings"], settings)
        _, chart = runner_values.runner(deploy, Path(folder), objects)
    lines = tomllib.loads(chart["config.template.toml"])["runners"][0]["environment"]
    values = dict(line.split("=", 1) for line in lines) | job_template.template()["variables"]
    # The job's home and its cache are this directory.
    return {key: value.replace("=/tmp", f"={work}").replace("/cache", str(work)) for key, value in values.items()} | {
        "HOME": str(work), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def main(deploy, maven):
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "pom.xml").write_text(POM)
        (work / "build.gradle").write_text(GRADLE)
        (work / "src/main/java").mkdir(parents=True)
        (work / "src/main/java/A.java").write_text("class A {}\n")
        proxy = Listener(b"HTTP/1.1 502 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        container = Listener(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nup")
        env = environment(deploy, proxy.port, work)
        newer = {"PATH": f"{maven}/usr/share/maven/bin:{env['PATH']}"}
        # Each program; whom the proxy has to be asked for. What is inside must not be among them.
        for words, more, outside in (
                (["mvn", "--batch-mode", "verify"], {}, "repo.maven.apache.org"),
                (["mvn", "--batch-mode", "verify"], newer, "repo.maven.apache.org"),
                (["gradle", "--no-daemon", "build"], {}, "repo.outside.example"),
                ([sys.executable, "-c", PYTHON, f"http://localhost:{container.port}/health"], {}, "python.outside.example")):
            result = subprocess.run(words, cwd=work, env=env | more, capture_output=True, text=True, check=False)
            asked = proxy.asked()
            if asked != {outside}:
                print(result.stdout[-1500:], result.stderr[-500:])
                sys.exit(f"proxied.py: the proxy was asked for {asked or 'nothing'} and not for {outside}, by {words[0]} {more}")
        if not container.lines:
            sys.exit("proxied.py: the port on localhost was not asked")
    print("ok   Maven 3.8 and 3.9, Gradle and Python behind a proxy")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
