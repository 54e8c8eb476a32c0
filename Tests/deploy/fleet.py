#!/usr/bin/env python3
"""Two Larders whose volumes and nodes have the same names, and one Prometheus with the alerts over both.

    fleet.py LARDER_PROGRAM deploy/monitoring/rules.yaml

Scrapes for less than a minute, then compares what
Prometheus holds with what the Larders serve, and both with `du`. Needs Debian's prometheus; exit code 3 without it.
All servers are on loopback, and end with this script.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.parse
import urllib.request
from pathlib import Path

PATIENCE = 55


def free_port():
    """A TCP port that nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_larder(place, cluster, entries, installed):
    """A volume and the configuration of a Larder on it; gives its port."""
    port = free_port()
    for number in range(entries):
        folder = place / f"cache/.m2/repository/g/e{number}/1"
        folder.mkdir(parents=True)
        (folder / f"e{number}-1.jar").write_bytes(os.urandom(200_000))
        origin = "" if installed else "central"
        (folder / "_remote.repositories").write_text(f"e{number}-1.jar>{origin}=\n")
        for path in (*folder.iterdir(), folder):
            os.utime(path, (time.time() - 40 * 86400,) * 2)
    (place / "larder.yaml").write_text(
        f"state: {place}/state\ncluster: {cluster}\nnode: n\nidle_floor: 0s\n"
        f"daemon:\n  listen: 127.0.0.1:{port}\n  schedules: {{scan: none, prune: none, warm: none, report: none}}\n"
        f"volumes:\n- name: build\n  kind: build-cache\n  path: {place}/cache\n  limit: 3Mi\n")
    return port


def get(url):
    """The body of an answer; empty while nobody answers well."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def wait(what, condition):
    """Waits until the condition gives something, and gives that."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            sys.exit(f"fleet.py: never: {what}")
        time.sleep(0.2)
    return found


def start(running, log, *command):
    """Starts a server whose output goes to a file."""
    with open(log, "w") as file:
        running.append(subprocess.Popen(command, stdout=file, stderr=file))


def check(work, larder, rules, running):
    """Runs all of it; gives the number of scrapes."""
    targets = {}
    for cluster, entries, installed in (("east", 20, True), ("west", 5, False)):
        place = work / cluster
        port = make_larder(place, cluster, entries, installed)
        # A prune that cannot help: what was installed locally is never evicted.
        subprocess.run([larder, "--config", place / "larder.yaml", "prune"], check=False, capture_output=True)
        start(running, place / "log", larder, "--config", place / "larder.yaml", "serve")
        targets[cluster] = port
    for port in targets.values():
        wait("a Larder is ready", lambda: get(f"http://127.0.0.1:{port}/readyz") == "ready\n")

    # What the operator makes of a PrometheusRule: its specification is a file of rules.
    groups = work / "rules.yaml"
    groups.write_text(textwrap.dedent(rules.read_text().split("\nspec:\n", 1)[1]))
    port = free_port()
    (work / "prometheus.yaml").write_text(json.dumps({
        "global": {"scrape_interval": "2s", "evaluation_interval": "2s"}, "rule_files": [str(groups)],
        "scrape_configs": [{
            "job_name": "larder", "honor_labels": True,
            "static_configs": [{"targets": [f"127.0.0.1:{one}" for one in targets.values()]}]}]}))
    start(
        running, work / "prometheus.log", "prometheus", f"--config.file={work}/prometheus.yaml",
        f"--storage.tsdb.path={work}/data", f"--web.listen-address=127.0.0.1:{port}")

    def ask(query):
        text = get(f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}")
        return json.loads(text)["data"]["result"] if text else []

    wait("each Larder was scraped five times", lambda: len(ask(
        'count_over_time(larder_volume_used_bytes{volume="build",node="n"}[1m]) >= 5')) == 2)
    used = {one["metric"]["cluster"]: int(one["value"][1]) for one in ask("larder_volume_used_bytes")}
    for cluster in targets:
        disk = subprocess.run(
            ["du", "-s", "-B1", work / cluster / "cache"], check=True, capture_output=True, text=True)
        if used[cluster] != int(disk.stdout.split()[0]):
            sys.exit(f"fleet.py: {cluster}: {used[cluster]} used, and du counts {disk.stdout.split()[0]}")
    # The one that is full is told from its namesake; `for: 1h` keeps the alert pending.
    alert = wait("the alert is pending", lambda: ask('ALERTS{alertname="LarderOverQuota"}'))
    if [one["metric"]["cluster"] for one in alert] != ["east"]:
        sys.exit(f"fleet.py: the alert concerns {alert}")
    groups = json.loads(get(f"http://127.0.0.1:{port}/api/v1/rules"))["data"]["groups"]
    broken = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"]
    if broken or len(groups) != 3:
        sys.exit(f"fleet.py: rules that cannot be evaluated: {broken}")
    # What never goes back in one series never goes back in the other.
    resets = [one for one in ask('resets({__name__=~"larder_.*_total"}[1m])') if one["value"][1] != "0"]
    if resets:
        sys.exit(f"fleet.py: counters went back: {resets}")
    return len(used)


def main(larder, rules):
    if not shutil.which("prometheus"):
        print("fleet.py: prometheus is missing: apt-get install prometheus", file=sys.stderr)
        sys.exit(3)
    running = []
    work = Path(tempfile.mkdtemp(prefix="larder-fleet-"))
    try:
        check(work, str(Path(larder).resolve()), Path(rules).resolve(), running)
    finally:
        for process in running:
            process.terminate()
        codes = [process.wait(timeout=30) for process in running]
        shutil.rmtree(work)
    if any(codes):
        sys.exit(f"fleet.py: exit codes {codes}")
    print("ok   two Larders in one Prometheus")


if __name__ == "__main__":
    main(*sys.argv[1:])
