"""Rootless Podmans of uid 1001, each as if in a pod of its own.

A "pod" has its own mount, IPC and process-id namespace, a plain cgroup2 (crun
refuses hybrid cgroups), its own /dev/shm and runtime directory. When its first
process dies, all of its processes die, and its mounts go with them.

`job` is the Podman of a CI job: `--root` on the store. `larder` is the sidecar
that shares the store without resetting the job's containers: the store comes
by `rootless_storage_path`, everything else is private.
"""

import http.client
import os
import shlex
import shutil
import socket
import subprocess

from layout import JOB_UID, TestbedError
from processes import bound, environment, start_time, tail, wait_until

PODS = ("job", "larder")

POD_SCRIPT = """\
set -e
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R -l /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
fi
mount -t tmpfs -o mode=1777 none /dev/shm
{command} &
trap "kill $!" TERM
wait $! || wait $!
"""


def configure(layout, pod, registry):
    """Writes the configuration of a pod and gives the environment and flags of its Podman."""
    private = layout.run / pod
    for directory in (private, private / "tmp", private / "home"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(directory, JOB_UID, JOB_UID)
    registries = private / "registries.conf"
    # Every port of the host, so that a failing registry can stand in for the real one.
    host = registry.rsplit(":", 1)[0]
    search = f'unqualified-search-registries = ["{registry}"]\n' if pod == "small" else ""
    registries.write_text(f'{search}[[registry]]\nlocation = "{host}"\ninsecure = true\n')

    engine = {
        "events_logger": "file",
        "events_logfile_path": layout.events / f"{pod}.log",
        "cgroup_manager": "cgroupfs",
    }
    storage = {"driver": "vfs", "runroot": private / "containers"}
    flags = []
    if pod == "job":
        flags = [
            "--storage-driver=vfs",
            f"--root={layout.storage}",
            f"--runroot={private / 'containers'}",
            f"--tmpdir={private / 'libpod'}",
        ]
    else:
        storage["rootless_storage_path"] = layout.storage
        engine |= {
            "static_dir": private / "static",
            "tmp_dir": private / "libpod",
            "volume_path": private / "volumes",
        }
    write_toml(private / "storage.conf", {"storage": storage})
    write_toml(
        private / "containers.conf",
        {"engine": engine, "containers": {"cgroups": "disabled", "netns": "host"}},
    )
    env = environment(
        private / "home",
        XDG_RUNTIME_DIR=private,
        TMPDIR=private / "tmp",
        CONTAINERS_CONF=private / "containers.conf",
        CONTAINERS_STORAGE_CONF=private / "storage.conf",
        CONTAINERS_REGISTRIES_CONF=registries,
    )
    return env, flags


def write_toml(path, tables):
    """Writes tables of strings."""
    lines = []
    for table, values in tables.items():
        lines += [f"[{table}]"] + [f'{key} = "{value}"' for key, value in values.items()]
    path.write_text("\n".join(lines) + "\n")


def start_pod(layout, pod, registry, arguments):
    """Runs `podman ARGUMENTS` as the main process of a new pod, a child of this process."""
    env, flags = configure(layout, pod, registry)
    command = bound(["podman", *flags, *arguments], job_user=True)
    with open(layout.log / f"podman-{pod}.log", "ab") as output:
        return subprocess.Popen(
            bound(
                ["unshare", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "sh", "-c", POD_SCRIPT.format(command=shlex.join(command))]
            ),
            env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )


def start_service(layout, pod, registry):
    """Starts the API service of a pod; gives it, and the id of the pod's first process."""
    path = layout.socket(pod)
    process = start_pod(layout, pod, registry, ["system", "service", "--time=0", f"unix://{path}"])
    log = layout.log / f"podman-{pod}.log"

    def answers():
        if process.poll() is not None:
            raise TestbedError(
                f"the Podman of the pod {pod} ended ({process.returncode}):\n{tail(log.read_bytes())}",
                "it needs root with CAP_SYS_ADMIN and user namespaces (sysctl user.max_user_namespaces)",
            )
        try:
            return request(path, "GET", "/_ping")[0] == 200
        except OSError:
            return False

    wait_until(answers, 60, f"the Podman of the pod {pod} answers on {path} (see {log})")
    return process, first_process(process)


def first_process(process):
    """The id of the pod's process 1, as seen from outside: the child of `unshare`, once it has forked."""
    path = f"/proc/{process.pid}/task/{process.pid}/children"

    def child():
        with open(path) as file:
            return file.read().split()

    return int(wait_until(child, 10, f"the pod's first process exists ({path})")[0])


def kill_pod(process):
    """Kills everything in a pod at once, as a node does that evicts it."""
    first = first_process(process)
    process.kill()
    process.wait()
    wait_until(lambda: start_time(first) is None, 30, "the pod's processes end")


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket; `Host` is sent, since Podman answers 400 without."""

    def __init__(self, path, timeout):
        super().__init__("podman", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def request(path, method, target, timeout=300):
    """One request to a Podman socket: status and body."""
    connection = UnixConnection(path, timeout)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def remote(layout, arguments, pod="job"):
    """Runs the Podman client against a pod's service, on this terminal; gives its exit code."""
    if not shutil.which("podman"):
        raise TestbedError("podman is missing", "run `testbed.py install`", code=3)
    url = f"unix://{layout.socket(pod)}"
    env = {**environment(layout.home), "TERM": os.environ.get("TERM", "dumb")}
    return subprocess.run(["podman", "--remote", "--url", url, *arguments], env=env).returncode
