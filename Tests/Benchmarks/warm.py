#!/usr/bin/env python3
"""How long warming six images takes, against the same pulls by Podman alone.

    warm.py TESTBED LARDER [--rounds 6] [--quick]

TESTBED is a directory that Tests/Testbed/testbed.py brought up, LARDER the program in its release build. Each
round pulls the same six images of four layers in every way, in turn, into the same store, which has none of
them; the next round begins with another way. It does so from the testbed's registry itself, where fetching costs
nothing, and then at 4 MB a second for each blob, unless --quick is given.

`ratio` is the median of each round's ratio to `podman pull` in the same round. What else the machine does
counts in all of them: `others` is how many processors it kept busy beside the pulls, the registry among them.
`podman` and `own` are the seconds of processor time that the service spent, and what this script started.
`locked` is the share of the time in which the lock of the store's layers was held for writing. `the API alone`
sends the requests that Larder sends, and nothing else: what lies between it and `podman pull` is Podman's
service, and what lies between it and `larder, 1 at once` is Larder. Larder's phases are until the first pull
begins, the pulls with the looks at the store after each, and what comes after the last one's end.

With less than two processors free the seconds of one round differ by half and more, and the ratios of a few
rounds with them: then only the processor time, which hardly does, tells the ways apart.

First of all comes what Larder itself does for a list of images in a store of a thousand.
"""

import argparse
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent / "warming"))

import images
import large_store
import watch
from ways import Ways

BASE = "podman pull"


def own_seconds():
    """The processor time of all children that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(ways, registry, first):
    """The figures of each way, once; each round begins with another way."""
    references = [f"{registry}/{name}:1" for name in images.NAMES]
    figures = {}
    order = list(ways.all.items())
    for way, run in order[first % len(order) :] + order[: first % len(order)]:
        ways.remote("rmi", "--force", *references, check=False)
        # What the one before has written must not be written while the next one is timed.
        os.sync()
        lock = watch.LockWatch(ways.env["STORAGE"])
        lock.start()
        before = (watch.busy_seconds(), watch.service_seconds(ways.pod), own_seconds(), time.process_time())
        begin = time.monotonic()
        phases = run(references)
        seconds = time.monotonic() - begin
        busy, podman, own, here = (
            now - then
            for now, then in zip(
                (watch.busy_seconds(), watch.service_seconds(ways.pod), own_seconds(), time.process_time()), before
            )
        )
        figures[way] = {
            "seconds": seconds, "podman": podman, "own": own, "locked": lock.share(), **phases,
            "others": max(0, busy - podman - own - here) / seconds,
        }
    ways.remote("rmi", *references, check=False)
    return figures


def compare(ways, title, registry, rounds):
    """All rounds, and the table of their medians."""
    results = [measure(ways, registry, number) for number in range(rounds)]

    def median(way, figure):
        return statistics.median(result[way][figure] for result in results)

    print(f"{title}\n  {'':20}{'seconds':>8}{'ratio':>7}{'from':>6}{'to':>6}", end="")
    print(f"{'podman':>8}{'own':>6}{'others':>8}{'locked':>8}")
    for way in ways.all:
        ratios = sorted(result[way]["seconds"] / result[BASE]["seconds"] for result in results)
        print(f"  {way:20}{median(way, 'seconds'):8.2f}{statistics.median(ratios):7.2f}", end="")
        print(f"{ratios[0]:6.2f}{ratios[-1]:6.2f}{median(way, 'podman'):8.2f}{median(way, 'own'):6.2f}", end="")
        print(f"{median(way, 'others'):8.1f}{median(way, 'locked'):8.0%}", flush=True)
    for way in ways.all:
        if "pulls" in results[0][way]:
            parts = [f"{median(way, phase):.2f} {phase}" for phase in ("before", "pulls", "after")]
            print(f"  {way}, seconds: {', '.join(parts)}")
    print(flush=True)


def main():
    """Pushes the images and measures twice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("testbed", type=Path, help="a directory that Tests/Testbed/testbed.py brought up")
    parser.add_argument("larder", help="the program, in its release build")
    parser.add_argument("--rounds", type=int, default=6, help="how often each way is timed (6)")
    parser.add_argument("--quick", action="store_true", help="leave out the slow registry")
    given = parser.parse_args()
    bed, larder, rounds = given.testbed.resolve(), given.larder, given.rounds
    env = dict(shlex.split(line)[0].split("=", 1) for line in (bed / "env").read_text().splitlines())
    ways = Ways(bed, larder, env)
    images.push_all(env["REGISTRY"])
    large_store.compare(larder, rounds)
    compare(ways, "From the registry itself:", env["REGISTRY"], rounds)
    if given.quick:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".mode") as mode:
        mode.write("slow 4\n")
        mode.flush()
        program = Path(__file__).resolve().parent.parent / "Testbed" / "fault_proxy.py"
        command = [sys.executable, program, env["REGISTRY"], mode.name]
        proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            compare(ways, "At 4 MB a second for each blob:", proxy.stdout.readline().strip(), rounds)
        finally:
            proxy.terminate()


main()
