#!/usr/bin/env python3
"""Builds Larder's image and runs the CronJobs' pods from it, as they are rendered, by `podman kube play`.

    play.py PROGRAM KUBECTL SPDX_VALIDATOR        exit code 0 if the image and the pods are as they should be

The pod templates of overlays/shared are taken as kubectl renders them; what is changed is named in
`pod`. Podman runs rootless as uid 1001, in namespaces of its own, on a store that goes with the
test. It needs root, podman, buildah, catatonit, uidmap, util-linux and the user ci (uid 1001).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.dont_write_bytecode = True

import larder_image
from larder_image import NAME, REPOSITORY, run
from pods import conclude

# crun refuses a cgroup hierarchy that is half v1; the test's own is a leaf of a plain v2 one.
SETUP = """\
set -e
mount --make-rprivate /
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R -l /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
fi
mount -t tmpfs -o mode=1777 none /dev/shm
mount -t tmpfs none /run
mkdir -m 700 /run/podman
group=/sys/fs/cgroup/${WORK##*/}
mkdir -p "$group/here"
echo $$ > "$group/here/cgroup.procs"
chown -R 1001:1001 "$group" /run/podman
ulimit -n 4096
status=0
setpriv --reuid=1001 --regid=1001 --init-groups "$@" || status=$?
# A cgroup outlives the mount it was made through.
echo $$ > /sys/fs/cgroup/cgroup.procs
find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
exit "$status"
"""
PODMAN = ["podman", "--storage-driver=vfs"]
MODULES = {"com/example/old/1.0": "old-1.0", "com/example/new/2.0": "new-2.0"}


def pod(folder, rendered, cronjob, arguments):
    """The Pod of a CronJob's or a Deployment's template and the ConfigMaps beside it.

    Changed are its image's name, its arguments, and what only a cluster has: claims are directories of
    uid 1001, as fsGroup would make them; the Podman beside Larder is left out (Podman would take it for
    an init container that never ends); so are the limits, whose controllers a rootless user lacks, and
    `hostUsers: false`, which the kubelet serves by mounting volumes with mapped ids, and Podman does not.
    """
    objects = list(yaml.safe_load_all(rendered))
    job = next(thing for thing in objects if thing["kind"] in ("CronJob", "Deployment") and thing["metadata"]["name"] == cronjob)
    template = job["spec"].get("jobTemplate", job)["spec"]["template"]
    spec = template["spec"]
    first = [each for each in spec.pop("initContainers", []) if each["name"] != "podman"]
    if first:
        spec["initContainers"] = first
    spec.pop("hostUsers", None)
    for container in (*first, *spec["containers"]):
        container["image"] = NAME
        del container["resources"]
        # Probes are the kubelet's, and a port is a wish for another network than none.
        for key in ("livenessProbe", "readinessProbe", "ports"):
            container.pop(key, None)
        # The downward API: Podman knows the name of the pod, and no other field.
        for each in container.get("env", []):
            if "valueFrom" in each:
                del each["valueFrom"]
                each["value"] = cronjob
    container = spec["containers"][0]
    container["args"] = arguments(container["args"])
    for volume in spec["volumes"]:
        if claim := volume.pop("persistentVolumeClaim", None):
            volume["hostPath"] = {"path": f"{folder}/{claim['claimName']}", "type": "Directory"}
    maps = [thing for thing in objects if thing["kind"] == "ConfigMap"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": cronjob, **template["metadata"]}, "spec": spec}, maps


def play(folder, name, rendered, cronjob, arguments):
    """Starts a CronJob's pod; gives the name of Larder's container."""
    manifest, maps = pod(folder, rendered, cronjob, arguments)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(manifest))
    (folder / "maps.yaml").write_text(yaml.safe_dump_all(maps))
    run(*PODMAN, "kube", "play", "--network=none", f"--configmap={folder}/maps.yaml", folder / f"{name}.yaml")
    return f"{cronjob}-larder"


def finished(container):
    """Waits for a container to end; gives its exit code and what it printed."""
    code = int(run(*PODMAN, "wait", container))
    return code, run(*PODMAN, "logs", container)


def logs(container):
    """Both streams of a container."""
    both = subprocess.run([*PODMAN, "logs", container], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return both.stdout.decode()


def fill(volume):
    """Two Maven modules on the build cache, as a build leaves them."""
    for path, name in MODULES.items():
        module = volume / ".m2/repository" / path
        module.mkdir(parents=True)
        (module / f"{name}.jar").write_bytes(os.urandom(20_000))
        (module / f"{name}.pom").write_text("<project/>")
        (module / "_remote.repositories").write_text(f"{name}.jar>central=\n{name}.pom>central=\n")


def own_id(table, outer):
    """The id that a process has in its user namespace, from the one that is seen from outside."""
    outer = int(outer.split()[0])
    for inner, begin, count in (map(int, line.split()) for line in table.read_text().splitlines()):
        if begin <= outer < begin + count:
            return inner + outer - begin
    return None


def context(container):
    """What holds of the running container, from Podman's record and from the kernel's."""
    record = json.loads(run(*PODMAN, "inspect", container))[0]
    process = Path("/proc") / str(record["State"]["Pid"])
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    options = {fields[4]: fields[5].split(",") for fields in mounts}
    users = [own_id(process / "uid_map", status["Uid"]), own_id(process / "gid_map", status["Gid"])]
    capabilities = [status[key].strip() for key in ("CapEff", "CapPrm", "CapBnd", "CapInh")]
    return {
        "runAsUser, runAsGroup": users == [1001, 1001] and record["Config"]["User"] == "1001:1001",
        "capabilities: drop ALL": all(int(value, 16) == 0 for value in capabilities)
        and not record["EffectiveCaps"] and not record["BoundingCaps"],
        "allowPrivilegeEscalation: false": status["NoNewPrivs"].strip() == "1",
        "readOnlyRootFilesystem": "ro" in options["/"] and record["HostConfig"]["ReadonlyRootfs"],
        "seccompProfile: RuntimeDefault": status["Seccomp"].strip() == "2",
        "the configuration is read-only": "ro" in options["/etc/larder"],
        "state and cache can be written": "rw" in options["/var/lib/larder"] and "rw" in options["/cache"],
    }


def inside(folder, rendered):
    """As uid 1001: plays the pods and checks what they did."""
    run(*PODMAN, "load", "--quiet", f"--input={folder}/larder.tar")
    cache = folder / "gitlab-build-cache-pvc"
    fill(cache)
    for claim in ("gitlab-podman-cache-pvc", "larder-state"):
        (folder / claim).mkdir()
    run("podman", "unshare", "chown", "-R", "1001:1001", cache, folder / "gitlab-podman-cache-pvc", folder / "larder-state")

    code, output = finished(play(folder, "scan", rendered, "larder-scan", lambda words: [*words, "--format=json"]))
    insist(code == 0, "scan", output)
    pools = {pool["name"]: pool["entries"] for pool in json.loads(output)["volumes"][0]["pools"]}
    checks = {"the scan finds both modules": pools.get("maven") == len(MODULES)}

    dry = ["--dry-run", "--volume=build", "--to=8Ki", "--idle-floor=0s", "--format=json"]
    code, output = finished(play(folder, "prune", rendered, "larder-prune", lambda words: [*words, *dry]))
    insist(code in (0, 3), "prune", output)
    evicted = sorted(each["key"] for each in json.loads(output)["volumes"][0]["evicted"])
    checks["the dry run names both"] = evicted == ["com.example:new:2.0", "com.example:old:1.0"]
    checks["and touches nothing"] = len([*cache.rglob("*.jar")]) == len(MODULES)

    checks |= reports(folder, rendered)

    # A pod that stays, for a look at it: the same template with the daemon in it.
    run(*PODMAN, "pod", "rm", "--all", "--force")
    container = play(folder, "stay", rendered, "larder-scan", lambda words: [words[0], "serve", "--listen=none"])
    while '"started"' not in logs(container):
        insist(run(*PODMAN, "inspect", "--format={{.State.Running}}", container) == "true\n", "serve",
               logs(container))
        time.sleep(0.1)
    checks |= context(container)
    begin = time.monotonic()
    run(*PODMAN, "stop", "--time=30", container)
    checks["ends at SIGTERM"] = time.monotonic() - begin < 25
    return checks


def reports(folder, rendered):
    """What the guide ends with: the report in a job's log, as a page, by `exec` in the reader, and its metrics."""
    run(*PODMAN, "pod", "rm", "--all", "--force")
    code, output = finished(play(folder, "report", rendered, "larder-report", lambda words: words))
    insist(code == 0, "report", output)
    # This Podman leaves the job's name in the arguments as it is written.
    pages = [path.read_text() for path in (folder / "larder-state").glob("*.html")]
    run(*PODMAN, "pod", "rm", "--all", "--force")
    reader = play(folder, "reader", rendered, "larder-reader", lambda words: words)
    while '"started"' not in logs(reader):
        insist(run(*PODMAN, "inspect", "--format={{.State.Running}}", reader) == "true\n", "reader", logs(reader))
        time.sleep(0.1)
    told = run(*PODMAN, "exec", reader, "larder", "report")
    html = run(*PODMAN, "exec", reader, "larder", "report", "--format", "html")
    served = run("nsenter", "--user", "--net", f"--target={json.loads(run(*PODMAN, 'inspect', reader))[0]['State']['Pid']}",
                 "curl", "--silent", "--fail", "http://127.0.0.1:9847/metrics", "http://127.0.0.1:9847/report")
    mounts = [mount["Destination"] for mount in json.loads(run(*PODMAN, "inspect", reader))[0]["Mounts"]]
    run(*PODMAN, "pod", "rm", "--all", "--force")
    return {
        "the report in the job's log": "build" in output and "last use" in output,
        "and as a page in the claim": len(pages) == 1 and pages[0].startswith("<!DOCTYPE html>"),
        "the reader's report by exec, on the terminal and as a page": "last use" in told and html.startswith("<!DOCTYPE html>"),
        "its metrics and its page over HTTP": "larder_volume_used_bytes" in served and "<!DOCTYPE html>" in served,
        "the reader mounts no cache": "/cache" not in mounts and "/podman-data" not in mounts,
    }


def insist(good, command, output):
    """Ends the test with a container's words, unless it ended well."""
    if not good:
        sys.exit(f"FAIL larder {command} in its pod:\n{output}")


def main():
    if sys.argv[1] == "--inside":
        folder = Path(sys.argv[2])
        sys.exit(conclude(inside(folder, (folder / "rendered.yaml").read_text())))
    program, kubectl, validator = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="larder-play-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        work = Path(name)
        work.chmod(0o755)
        staged = larder_image.build(work, program)
        code = conclude(larder_image.properties(work, staged, program, validator))
        folder = work / "pod"
        folder.mkdir()
        run("podman", *larder_image.storage(work), "save", "--quiet", "--format=oci-archive",
            f"--output={folder}/larder.tar", NAME)
        (folder / "larder.tar").chmod(0o644)
        (folder / "rendered.yaml").write_text(run(kubectl, "kustomize", REPOSITORY / "deploy/overlays/shared"))
        (folder / "containers.conf").write_text('[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n')
        os.chown(folder, 1001, 1001)
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": "/run/podman", "WORK": name, "TMPDIR": str(folder),
               "CONTAINERS_CONF": f"{folder}/containers.conf", "PYTHONPATH": ":".join(sys.path)}
        namespaces = ["unshare", "--mount", "--ipc", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        itself = [sys.executable, "-B", Path(__file__).resolve(), "--inside", folder]
        played = subprocess.run([*namespaces, "sh", "-c", SETUP, "sh", *itself], env=env, cwd="/", check=False)
        sys.exit(code or played.returncode)


if __name__ == "__main__":
    main()
