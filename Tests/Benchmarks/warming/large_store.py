"""Larder's own work on a large store: records of a thousand images as Podman writes them, and no Podman."""

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMAGES = 1000
WANTED = (1, 40)


def digest(*words):
    """64 digits."""
    return hashlib.sha256("-".join(map(str, words)).encode()).hexdigest()


def make(root):
    """Images of six layers, of which fifty share the lower two."""
    layers, images = {}, []
    for number in range(IMAGES):
        parent = None
        for depth in range(6):
            name = digest("layer", number if depth > 1 else number % 20, depth)
            layers[name] = {
                "id": name, "created": "2026-11-01T10:00:00Z", "compressed-size": 1_000_000,
                "compressed-diff-digest": "sha256:" + digest("packed", name), "diff-size": 2_000_000,
                "diff-digest": "sha256:" + digest("plain", name), "compression": 2, "uidset": [0], "gidset": [0],
            } | ({"parent": parent} if parent else {})
            parent = name
        name = digest("image", number)
        images.append({
            "id": name, "digest": "sha256:" + digest("manifest", name), "names": [f"r.test/app-{number}:1"],
            "layer": parent, "metadata": "{}", "created": "2026-11-01T10:00:00Z",
            "big-data-names": ["sha256:" + name, "manifest"], "big-data-sizes": {"manifest": 1000},
        })
    for folder, content in (("layers", list(layers.values())), ("images", images), ("containers", [])):
        (root / f"vfs-{folder}").mkdir(parents=True)
        (root / f"vfs-{folder}" / f"{folder}.json").write_text(json.dumps(content))
    (root / "vfs" / "dir").mkdir(parents=True)


def compare(larder, rounds):
    """What each image on the list costs where all are there already."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "storage"
        make(root)
        configuration = Path(place) / "larder.yaml"
        configuration.write_text(
            f"state: {place}/state\nwarm: {{registries_file: none}}\n"
            f"volumes:\n- {{name: images, kind: image-store, path: {root}, limit: 1000Gi}}\n"
        )
        seconds = {wanted: [] for wanted in WANTED}
        for _ in range(rounds):
            for wanted in WANTED:
                names = [f"r.test/app-{number}:1" for number in range(wanted)]
                begin = time.monotonic()
                command = [larder, "--config", configuration, "warm", "--dry-run", *names]
                result = subprocess.run(command, capture_output=True, text=True)
                if result.returncode:
                    sys.exit(f"{result.stdout}\n{result.stderr}")
                seconds[wanted].append(time.monotonic() - begin)
    one, many = (statistics.median(seconds[wanted]) for wanted in WANTED)
    print(f"Larder alone, in a store of {IMAGES} images: {one:.2f} s for a list of {WANTED[0]} image that is there,")
    print(f"{many:.2f} s for one of {WANTED[1]}\n", flush=True)
