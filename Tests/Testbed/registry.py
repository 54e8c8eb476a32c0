"""A real registry on loopback: Debian's docker-registry with its storage in the testbed."""

import re
import subprocess

from layout import TestbedError
from processes import bound, environment, tail, wait_until

CONFIGURATION = """\
version: 0.1
log:
  level: info
  formatter: text
storage:
  filesystem:
    rootdirectory: {root}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:0
"""


def start(layout):
    """Starts the registry as a child of this process; gives it and its HOST:PORT.

    The kernel chooses the port, and the registry's log tells it, so that no
    other process can take the port in between.
    """
    configuration = layout.run / "registry.yml"
    configuration.write_text(CONFIGURATION.format(root=layout.registry))
    log = layout.log / "registry.log"
    with open(log, "ab") as output:
        process = subprocess.Popen(
            bound(["docker-registry", "serve", configuration]),
            env=environment(layout.home, OTEL_TRACES_EXPORTER="none"),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )

    def address():
        match = re.search(rb"listening on (127\.0\.0\.1:[1-9]\d*)", log.read_bytes())
        if not match and process.poll() is not None:
            raise TestbedError(f"docker-registry ended ({process.returncode}):\n{tail(log.read_bytes())}")
        return match and match[1].decode()

    return process, wait_until(address, 30, f"docker-registry listens (see {log})")
