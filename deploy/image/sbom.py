#!/usr/bin/env python3
"""Writes the bill of materials of Larder's image, as SPDX 2.3 JSON.

    find usr/lib -name '*.so*' | sbom.py Package.resolved > larder.spdx.json

Package.resolved gives the Swift packages, with the revision that was built; standard input names
the shared libraries that are shipped beside the program, which Debian's dpkg knows the packages of.
Two runs on the same files give the same document but for its date, which SOURCE_DATE_EPOCH sets.
"""

import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path


def swift_packages(resolved):
    """A package of SPDX for each pin."""
    for pin in json.loads(resolved.read_text())["pins"]:
        state = pin["state"]
        location = pin["location"].removesuffix(".git")
        yield {
            "name": pin["identity"],
            "versionInfo": state.get("version", state["revision"]),
            "downloadLocation": f"git+{location}@{state['revision']}",
        }


def libraries(names):
    """A package of SPDX for each shared library: with its version where Debian has it, else as a file is known."""
    for name in names:
        # By name, not by path: the shipped copy has left its place.
        query = subprocess.run(["dpkg-query", "--search", f"*/{name}"], capture_output=True, text=True, check=False)
        owner = query.stdout.split(":")[0].split(",")[0] if query.returncode == 0 else None
        if owner is None:
            yield {"name": name, "downloadLocation": "NOASSERTION"}
            continue
        version = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", owner],
                                 capture_output=True, text=True, check=False).stdout
        yield {
            "name": owner, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                "referenceLocator": f"pkg:deb/debian/{owner}@{version}"}],
        }


def main():
    resolved = Path(sys.argv[1])
    names = sorted({Path(line.strip()).name for line in sys.stdin if line.strip()})
    found = [*swift_packages(resolved), *libraries(names)]
    epoch = os.environ.get("SOURCE_DATE_EPOCH", datetime.datetime.now().timestamp())
    created = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "larder",
        "documentNamespace": f"https://example.com/spdx/larder-{digest}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: larder-sbom"]},
        "packages": [{"SPDXID": "SPDXRef-larder", "name": "larder", "downloadLocation": "NOASSERTION",
                      "filesAnalyzed": False}],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                           "relatedSpdxElement": "SPDXRef-larder"}],
    }
    for package in found:
        reference = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", package["name"])
        document["packages"].append({"SPDXID": reference, "filesAnalyzed": False, **package})
        document["relationships"].append({
            "spdxElementId": "SPDXRef-larder", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": reference})
    json.dump(document, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
