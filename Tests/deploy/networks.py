#!/usr/bin/env python3
"""Asks the network policies of a user's kustomization which addresses a pod may reach.

    networks.py DEPLOY

Each row of CASES is a component's promise, with what must stay shut beside it. An address is reached where one policy
that selects the pod opens it, as the API's documentation of NetworkPolicy has it; a name server by its namespace.
"""

import ipaddress
import sys
from pathlib import Path

import yaml

from adapted import rendered

PULLING = {"ci-cache/network": "registries"}
INTERNAL = [{"target": {"kind": "NetworkPolicy", "name": "allow-internal"},
             "patch": "- {op: replace, path: /spec/egress/0/to, value: [{ipBlock: {cidr: 10.20.30.0/24}}]}"}]
PROXY = {"proxy": "http://10.20.0.5:8118"}
# Components, settings, patches; then (labels, where to, port, whether it is reached).
CASES = [
    ([], {}, [], [(PULLING, "140.82.112.3", 443, True), (PULLING, "2606:50c0:8000::154", 443, True),
                  ({}, "140.82.112.3", 443, False), (PULLING, "10.20.0.5", 443, False), (PULLING, "169.254.169.254", 443, False),
                  (PULLING, "fd00:ec2::254", 443, False), (PULLING, "fe80::1", 443, False), (PULLING, "140.82.112.3", 8118, False),
                  ({}, "namespace kube-system", 53, True), ({}, "namespace openshift-dns", 5353, False)]),
    (["proxy"], PROXY, [], [(PULLING, "10.20.0.5", 8118, True), (PULLING, "203.0.113.9", 8118, True),
                            ({}, "10.20.0.5", 8118, False), (PULLING, "10.20.0.5", 443, False)]),
    (["proxy"], PROXY | {"proxyNetwork": "10.20.0.5/32"}, [], [(PULLING, "10.20.0.5", 8118, True),
                                                               (PULLING, "203.0.113.9", 8118, False)]),
    (["internal-networks", "proxy"], PROXY, INTERNAL, [(PULLING, "10.20.30.7", 5000, True), (PULLING, "10.20.0.5", 5000, False),
                                                       (PULLING, "10.20.0.5", 8118, True)]),
    (["dns-nodelocal"], {}, [], [({}, "169.254.20.10", 53, True), ({}, "10.96.0.10", 53, False)]),
    # What pods ask where kube-proxy uses iptables, at addresses of a cluster's own.
    (["dns-nodelocal"], {"nodeLocalDns": "169.254.25.10/32", "clusterDns": "10.233.0.3/32"}, [],
     [({}, "169.254.25.10", 53, True), ({}, "10.233.0.3", 53, True), ({}, "169.254.20.10", 53, False), ({}, "10.233.0.3", 443, False)]),
    (["openshift"], {}, [], [({}, "namespace openshift-dns", 5353, True), ({}, "namespace kube-system", 53, True)]),
]


def opens(peer, place):
    """Whether a peer of a policy is an address, or the pods of a namespace."""
    if place.startswith("namespace "):
        name = (peer.get("namespaceSelector") or {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
        return name == place.removeprefix("namespace ")
    if "ipBlock" not in peer:
        return False
    address = ipaddress.ip_address(place)
    block = peer["ipBlock"]
    return address in ipaddress.ip_network(block["cidr"]) and not any(
        address in ipaddress.ip_network(each) for each in block.get("except", []))


def reaches(policies, labels, place, port):
    """Whether a pod in `ci` gets to a place over TCP."""
    for policy in policies:
        selector = policy["spec"]["podSelector"].get("matchLabels", {})
        if any(labels.get(key) != value for key, value in selector.items()):
            continue
        for rule in policy["spec"].get("egress", []):
            ports = {each["port"] for each in rule["ports"] if each.get("protocol", "TCP") == "TCP"}
            if port in ports and any(opens(peer, place) for peer in rule["to"]):
                return True
    return False


def main(deploy):
    failed = False
    for components, settings, patches, expected in CASES:
        objects = list(yaml.safe_load_all(rendered(deploy, ["overlays/shared", "node"], [*components, "settings"], settings, patches)))
        policies = [thing for thing in objects if thing["kind"] == "NetworkPolicy" and thing["metadata"]["namespace"] == "ci"]
        for labels, place, port, isReached in expected:
            if reaches(policies, labels, place, port) != isReached:
                print(f"{components or 'no component'}, {settings}: a pod with {labels} "
                      f"{'does not reach' if isReached else 'reaches'} {place} at {port}")
                failed = True
        for policy in policies:
            if policy["metadata"].get("labels", {}).get("ci-cache/step") != "prepare" and "Egress" in policy["spec"]["policyTypes"]:
                print(f"{policy['metadata']['name']} comes after the preflight")
                failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
