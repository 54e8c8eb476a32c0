#!/usr/bin/env python3
"""Checks that kube-prometheus-stack takes what deploy/example-monitoring renders; reads it from standard input.

Its Prometheus selects by the label `release` what it scrapes and which rules it has (podMonitorSelectorNilUsesHelmValues
and ruleSelectorNilUsesHelmValues of its values).
"""

import sys

import yaml

chosen = {thing["kind"]: thing["metadata"].get("labels", {}).get("release") for thing in yaml.safe_load_all(sys.stdin)}
missing = [kind for kind in ("PodMonitor", "PrometheusRule") if not chosen.get(kind)]
for kind in missing:
    print(f"kube-prometheus-stack passes over the {kind}")
sys.exit(1 if missing else 0)
