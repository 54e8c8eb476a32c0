#!/usr/bin/env python3
"""Writes the SBOM of Larder's Swift packages, as SPDX 2.3 JSON.

    swift package show-dependencies --format json | sbom.py > larder.spdx.json
"""

import datetime
import json
import os
import sys


def packages(node, found):
    """All packages below a node, each once."""
    for dependency in node["dependencies"]:
        if dependency["identity"] not in found:
            found[dependency["identity"]] = dependency
            packages(dependency, found)
    return found


def main():
    root = json.load(sys.stdin)
    found = packages(root, {})
    # SOURCE_DATE_EPOCH makes two runs on one source the same.
    created = datetime.datetime.fromtimestamp(
        int(os.environ.get("SOURCE_DATE_EPOCH", datetime.datetime.now().timestamp())), datetime.timezone.utc)
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "larder",
        "documentNamespace": f"https://example.com/spdx/larder-{int(created.timestamp())}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: larder-sbom"]},
        "packages": [{"SPDXID": "SPDXRef-larder", "name": "larder", "downloadLocation": "NOASSERTION",
                      "filesAnalyzed": False}],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                           "relatedSpdxElement": "SPDXRef-larder"}],
    }
    for identity, package in sorted(found.items()):
        reference = f"SPDXRef-{identity.replace('_', '-')}"
        document["packages"].append({
            "SPDXID": reference, "name": identity, "versionInfo": package["version"],
            "downloadLocation": f"git+{package['url']}@{package['version']}", "filesAnalyzed": False,
        })
        document["relationships"].append({
            "spdxElementId": "SPDXRef-larder", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": reference})
    json.dump(document, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
