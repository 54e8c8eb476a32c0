"""Synthetic demand of a CI system, by seeds: which artifacts jobs want, and when.

A trace is a list of uses `(second, key, bytes)` in the order of time. Second 0 is the first scan; what lies before
it warms the volume. A project has libraries, and a build of it reads them all. Demand knows nothing of any volume:
what a volume makes of it is played by nightly.py.
"""

import math
import random

DAY = 86_400
MI, GI = 1 << 20, 1 << 30

#: Days before the first scan, of recorded history, and after the report.
WARM, PAST, AHEAD = 45, 60, 30


class Demand:
    """Projects that build, and the uses that come of it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.uses = []
        self.names = 0
        self.commons = [self.library() for _ in range(400)]
        self.projects = []

    def library(self):
        """A new artifact: most have some mebibytes, a few a hundred and more."""
        self.names += 1
        size = int(self.random.lognormvariate(math.log(12 * MI), 1.0)) // 4096 * 4096 + 4096
        return f"org.example:lib{self.names}:1", min(size, 300 * MI)

    def project(self, builds, own=40, shared=40):
        """A project that builds so many times a day on average."""
        libraries = [self.library() for _ in range(own)] + self.random.sample(self.commons, shared)
        self.projects.append({"builds": builds, "libraries": libraries})
        return self.projects[-1]

    def build(self, day, libraries):
        second = day * DAY + self.random.randrange(6 * 3600, 22 * 3600)
        self.uses += [(second, *library) for library in libraries]

    def day(self, day, activity=1.0):
        """Each project builds as often as chance has it."""
        for project in self.projects:
            for _ in range(poisson(self.random, project["builds"] * activity)):
                self.build(day, project["libraries"])

    def sorted(self):
        return sorted(self.uses)


def poisson(chance, mean):
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count += 1
        product *= chance.random()
    return count


def usual(seed):
    """Thirty projects: some build many times a day, some once in a fortnight."""
    demand = Demand(seed)
    for place in range(30):
        demand.project(6 / (place + 1) ** 1.25)
    return demand


def days():
    return range(-WARM, PAST + AHEAD)


def stationary(seed):
    """Nothing changes but chance."""
    demand = usual(seed)
    for day in days():
        demand.day(day)
    return demand.sorted()


def drifting(seed):
    """Libraries are replaced by new versions: one in a hundred and forty each day."""
    demand = usual(seed)
    for day in days():
        for project in demand.projects:
            for place in range(len(project["libraries"])):
                if demand.random.random() < 1 / 140:
                    project["libraries"][place] = demand.library()
        demand.day(day)
    return demand.sorted()


def growing(seed):
    """Every fourth day a new project begins."""
    demand = usual(seed)
    for day in days():
        if day % 4 == 0:
            demand.project(0.7)
        demand.day(day)
    return demand.sorted()


def branchy(seed):
    """Branches bring libraries of their own that are used for some days, and most of which never again."""
    demand = usual(seed)
    branches = []
    for day in days():
        for _ in range(3):
            branches.append((day + demand.random.choice([1, 1, 2, 3, 6]), [demand.library() for _ in range(12)]))
        branches = [branch for branch in branches if branch[0] > day]
        for _, libraries in branches:
            demand.build(day, libraries)
        demand.day(day)
    return demand.sorted()


def releases(seed):
    """Each project publishes a version a day, which the others use until the next."""
    demand = usual(seed)
    published = []
    for day in days():
        published = [demand.library() for _ in range(30)] if day % 7 < 5 or not published else published
        for project in demand.projects[:15]:
            for _ in range(poisson(demand.random, project["builds"])):
                demand.build(day, demand.random.sample(published, 12))
        demand.day(day)
    return demand.sorted()


def weekday(seed):
    """Hardly anything happens on Saturdays and Sundays."""
    demand = usual(seed)
    for day in days():
        demand.day(day, 0.1 if day % 7 > 4 else 1.3)
    return demand.sorted()


def jumps(seed):
    """As drifting, and on day 25 of the history eight projects are added at once."""
    demand = usual(seed)
    for day in days():
        if day == 25:
            for _ in range(8):
                demand.project(0.8, own=60)
        for project in demand.projects:
            if demand.random.random() < 1 / 20:
                project["libraries"][demand.random.randrange(len(project["libraries"]))] = demand.library()
        demand.day(day)
    return demand.sorted()


ALL = {each.__name__: each for each in (stationary, drifting, growing, branchy, releases, weekday, jumps)}
