"""What CI jobs do: real builds, containers by Podman and by Testcontainers."""

import time

BUILDS = {"maven": ["alpha", "beta"], "gradle": ["gamma", "delta"]}
# A project is built for so long, then the other: what only one needs becomes idle and goes.
PHASE = 300
PAUSE = 4
GONE = ("image not known", "no such image", "does not resolve", "No such image", "layer not known")


def loops(place):
    """The loops that run beside each other."""
    return [lambda: builds(place, "maven"), lambda: builds(place, "gradle"), lambda: containers(place),
            lambda: testcontainers(place), lambda: survivor(place)]


def turn(place, choices, length=PHASE):
    """What is due in this phase."""
    return choices[int((time.monotonic() - place.began) / length) % len(choices)]


def work(place, body, reserve=60):
    """Does one job after the other while jobs may run."""
    while place.goes_on(reserve) and place.begin_work():
        try:
            body()
        finally:
            place.end_work()
        time.sleep(PAUSE * place.dice.uniform(0.5, 1.5))


def builds(place, tool):
    """One build after the other with one tool."""
    def build():
        project = turn(place, BUILDS[tool])
        more = ["--", "--rerun-tasks"] if tool == "gradle" else []
        result = place.run_testbed(tool, project, *more)
        place.count("builds")
        if result.returncode != 0:
            place.note(f"{tool} {project} failed: {result.stderr[-1500:]}")
    work(place, build)


def attempt(place, name, *arguments):
    """Runs a job; once more where its image went between the pull and the container."""
    result = place.run_testbed(*arguments)
    place.count("jobs")
    if result.returncode != 0 and any(words in result.stdout + result.stderr for words in GONE):
        place.count("races")
        result = place.run_testbed(*arguments)
    if result.returncode != 0:
        place.note(f"{name} failed: {(result.stdout + result.stderr)[-800:]}")


def containers(place):
    """Containers that end at once."""
    def run():
        name = turn(place, ["IMAGE_APP_A", "IMAGE_APP_B", "IMAGE_BASE"], PHASE / 1.5)
        attempt(place, name, "podman", "run", "--rm", "--net", "host", place.env[name], "true")
    work(place, run)


def testcontainers(place):
    """Testcontainers with Redis, in every other phase only."""
    def run():
        if turn(place, [True, False]):
            attempt(place, "Testcontainers", "job")
        else:
            time.sleep(3)
    work(place, run)


def survivor(place):
    """Containers that run for a minute and must not be lost meanwhile."""
    number = 0

    def run():
        nonlocal number
        number += 1
        name = f"survivor-{number}"
        attempt(place, name, "podman", "run", "-d", "--net", "host", "--name", name, place.env["IMAGE_REDIS"],
                "--port", "0", "--unixsocket", "/redis.sock")
        end = time.monotonic() + 60
        while time.monotonic() < end and place.open.is_set() and place.goes_on(40):
            time.sleep(3)
        state = place.run_testbed("podman", "inspect", "--format", "{{.State.Running}}", name)
        if state.stdout.strip() != "true":
            place.note(f"container {name} was lost: {state.stdout}{state.stderr[-300:]}")
        place.run_testbed("podman", "rm", "-f", name)

    def once():
        if turn(place, [True, False]):
            run()
        else:
            time.sleep(3)
    work(place, once, reserve=100)
