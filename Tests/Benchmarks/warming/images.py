"""Six images of four layers each, made of noise and pushed to a registry over its API."""

import gzip
import hashlib
import io
import json
import random
import tarfile
import urllib.request

NAMES = [f"bench/image-{number}" for number in range(6)]


def push_all(registry):
    """Pushes every image; one that is there already is written again."""
    for name in NAMES:
        push_image(registry, name)


def send(registry, method, path, body=None, kind="application/octet-stream"):
    """One request to the registry; gives the answer."""
    url = path if path.startswith("http") else f"http://{registry}/v2/{path}"
    headers = {"Content-Type": kind} if body is not None else {}
    return urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method))


def push_blob(registry, name, body):
    """Uploads a blob; gives its digest."""
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    place = send(registry, "POST", f"{name}/blobs/uploads/", b"").headers["Location"]
    send(registry, "PUT", f"{place}&digest={digest}", body)
    return digest


def layer(noise, number):
    """A layer of 8 MB in 200 files, half of which packs well."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for file in range(200):
            content = noise.randbytes(20_000) + bytes(20_000)
            info = tarfile.TarInfo(f"layer-{number}/file-{file}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return output.getvalue()


def push_image(registry, name):
    """Makes an image of four layers and uploads it."""
    noise = random.Random(name)
    raw = [layer(noise, number) for number in range(4)]
    layers = []
    for part in raw:
        packed = gzip.compress(part, 1, mtime=0)
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        layers.append({"mediaType": kind, "digest": push_blob(registry, name, packed), "size": len(packed)})
    digests = ["sha256:" + hashlib.sha256(part).hexdigest() for part in raw]
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": digests}}
    ).encode()
    kind = "application/vnd.oci.image.config.v1+json"
    document = {
        "schemaVersion": 2,
        "config": {"mediaType": kind, "digest": push_blob(registry, name, config), "size": len(config)},
        "layers": layers,
    }
    body = json.dumps(document).encode()
    send(registry, "PUT", f"{name}/manifests/1", body, "application/vnd.oci.image.manifest.v1+json")
