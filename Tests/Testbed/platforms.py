#!/usr/bin/env python3
"""Pushes a list of an image for two platforms, made from an image in a registry.

    platforms.py REGISTRY SOURCE_REPOSITORY SOURCE_TAG TARGET_REPOSITORY TARGET_TAG [NOTE]

The image for linux/amd64 is the source as it is; that for linux/arm64 is the same but for its configuration.
NOTE becomes an annotation of the list, so that another one gives another digest. Prints the digests of the
list, of the amd64 and of the arm64 image, one a line.
"""

import hashlib
import json
import sys
import urllib.request

registry, source, source_tag, target, target_tag = sys.argv[1:6]
note = sys.argv[6] if len(sys.argv) > 6 else ""
IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def send(method, path, body=None, **headers):
    """One request to the registry; gives the answer."""
    url = path if path.startswith("http") else f"http://{registry}/v2/{path}"
    return urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method))


def digest(body):
    """The digest of a document."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def push_blob(body):
    """Uploads a blob in one piece."""
    place = send("POST", f"{target}/blobs/uploads/", b"").headers["Location"]
    send("PUT", f"{place}&digest={digest(body)}", body, **{"Content-Type": "application/octet-stream"})


def push_manifest(document, kind, reference=None):
    """Uploads a manifest under a tag, or under its own digest; gives its descriptor."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    send("PUT", f"{target}/manifests/{reference or digest(body)}", body, **{"Content-Type": kind})
    return {"mediaType": kind, "digest": digest(body), "size": len(body)}


original = send("GET", f"{source}/manifests/{source_tag}", Accept=IMAGE).read()
manifest = json.loads(original)
for part in [manifest["config"], *manifest["layers"]]:
    push_blob(send("GET", f"{source}/blobs/{part['digest']}").read())
config = json.loads(send("GET", f"{source}/blobs/{manifest['config']['digest']}").read())
amd = push_manifest(original, IMAGE)
body = json.dumps(config | {"architecture": "arm64"}).encode()
push_blob(body)
manifest["config"] |= {"digest": digest(body), "size": len(body)}
arm = push_manifest(manifest, IMAGE)
images = [
    image | {"platform": {"os": "linux", "architecture": architecture}}
    for image, architecture in ((amd, "amd64"), (arm, "arm64"))
]
index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": images, "annotations": {"note": note}}
listed = push_manifest(index, INDEX, target_tag)
print(listed["digest"], amd["digest"], arm["digest"], sep="\n")
