#!/usr/bin/env python3
"""Makes a build volume of a given size for benchmarks: a Maven repository, and a Gradle home if asked.

    make_tree.py DIR --files 500000 [--gradle 50000] [--owner 1001] [--seed 1]

Five files a GAV directory: a jar (a real, empty archive, its comment naming the
GAV), its pom, both checksums and `_remote.repositories`. Times lie in the past
year; a directory is as old as the newest entry in it, those above the groups are
a year old. The same arguments give the same names.
"""

import argparse
import base64
import hashlib
import io
import multiprocessing
import os
import random
import sys
import time
import zipfile
from pathlib import Path

YEAR = 365 * 86400
VERSIONS = 4  # GAVs of an artifact, on average
ARTIFACTS = 8  # artifacts of a group, on average
FILES = 5  # files of a GAV
REMOTE = """\
#NOTE: This is a Maven Resolver internal implementation file, its format can be changed without prior notice.
#{date}
{name}.pom>central=
{name}.jar>central=
"""
POM = """\
<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>{group}</groupId>
  <artifactId>{artifact}</artifactId>
  <version>{version}</version>
</project>
"""


def empty_jar():
    """The bytes of an archive with a manifest; the last two are the length of its comment."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    return buffer.getvalue()


EMPTY_JAR = empty_jar()


def jar_of(name):
    """A jar of its own for each name: the name is the archive's comment."""
    comment = name.encode()
    return EMPTY_JAR[:-2] + len(comment).to_bytes(2, "little") + comment


class Clock:
    """Draws a time of download in the past year and a later time of last use."""

    def __init__(self, seed, now):
        self.random = random.Random(seed)
        self.now = now

    def draw(self):
        """Seconds since the epoch: (last use, download)."""
        download = self.now - self.random.randrange(3600, YEAR)
        return self.random.randrange(download, self.now), download


def write(parent, name, content, times):
    """A file in the directory that `parent` describes, with its times."""
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=parent)
    os.write(descriptor, content)
    os.utime(descriptor, times)
    os.close(descriptor)


def make_gav(root, group, artifact, version, clock):
    """One GAV directory below an artifact's; gives its time."""
    path = f"{root}/{group.replace('.', '/')}/{artifact}/{version}"
    os.mkdir(path)
    name = f"{artifact}-{version}"
    times = last_use, download = clock.draw()
    jar = jar_of(f"{group}:{artifact}:{version}")
    pom = POM.format(group=group, artifact=artifact, version=version).encode()
    date = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(download))
    parent = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    write(parent, f"{name}.jar", jar, times)
    write(parent, f"{name}.jar.sha1", hashlib.sha1(jar).hexdigest().encode(), times)
    write(parent, f"{name}.pom", pom, times)
    write(parent, f"{name}.pom.sha1", hashlib.sha1(pom).hexdigest().encode(), times)
    write(parent, "_remote.repositories", REMOTE.format(date=date, name=name).encode(), times)
    os.utime(parent, (last_use, download))
    os.close(parent)
    return download


def make_gradle_module(root, group, module, version, clock):
    """One module version below `files-2.1`: a directory for each file, named by its checksum."""
    path = f"{root}/{group}/{module}/{version}"
    os.mkdir(path)
    times = clock.draw()
    contents = {
        f"{module}-{version}.jar": jar_of(f"{group}:{module}:{version}"),
        f"{module}-{version}.pom": POM.format(group=group, artifact=module, version=version).encode(),
    }
    for name, content in contents.items():
        # Gradle drops the leading zeros of a checksum in the directory's name.
        directory = f"{path}/{hashlib.sha1(content).hexdigest().lstrip('0')}"
        os.mkdir(directory)
        parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        write(parent, name, content, times)
        os.utime(parent, times)
        os.close(parent)
    os.utime(path, times)
    return times[1]


def names(count, share, shares):
    """(group number, artifact number, version number) of the entries that fall to one worker."""
    for number in range(count):
        group, rest = divmod(number, ARTIFACTS * VERSIONS)
        if group % shares == share:
            yield group, *divmod(rest, VERSIONS)


def fill(job):
    """One worker's share of the entries of one layout."""
    root, kind, count, share, shares, owner, seed, now = job
    if owner is not None:
        os.setgroups([])
        os.setgid(owner)
        os.setuid(owner)
    clock = Clock(f"{seed}/{kind}/{share}", now)
    ages = {}
    for group_number, artifact_number, version_number in names(count, share, shares):
        word = base64.b32encode(hashlib.sha1(b"%d" % group_number).digest()).decode().lower()[:8]
        group = f"org.{word[:2]}.{word[2:]}{group_number}"
        artifact = f"{word[:4]}-part{artifact_number}"
        version = f"{1 + version_number // 3}.{version_number % 3}.{group_number % 10}"
        directory = f"{root}/{group.replace('.', '/') if kind == 'maven' else group}/{artifact}"
        if directory not in ages:
            os.makedirs(directory, exist_ok=True)
        make = make_gav if kind == "maven" else make_gradle_module
        age = make(root, group, artifact, version, clock)
        ages[directory] = max(age, ages.get(directory, 0))
    for directory, age in ages.items():
        os.utime(directory, (age, age))
        group_directory = os.path.dirname(directory)
        os.utime(group_directory, (age, age))


def main():
    """Makes the tree with one worker a processor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR", help="the build volume; must be new or empty")
    parser.add_argument("--files", type=int, default=500_000, help="files of the Maven repository (500000)")
    parser.add_argument("--gradle", type=int, default=0, metavar="FILES", help="files of a Gradle home beside it")
    parser.add_argument("--owner", type=int, metavar="UID", help="who owns it all (needs root)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.umask(0o022)
    volume = options.directory.absolute()
    if volume.exists() and any(volume.iterdir()):
        parser.error(f"{volume} is not empty: give a new or empty directory")
    layouts = [("maven", volume / ".m2" / "repository", options.files // FILES)]
    if options.gradle:
        layouts.append(("gradle", volume / "caches" / "modules-2" / "files-2.1", options.gradle // 2))
    for _, root, _ in layouts:
        root.mkdir(parents=True)
    if options.owner is not None:
        for directory in [volume, *(each for each in volume.rglob("*"))]:
            os.chown(directory, options.owner, options.owner)
    now = int(time.time())
    workers = os.cpu_count() or 1
    jobs = [
        (str(root), kind, count, share, workers, options.owner, options.seed, now)
        for kind, root, count in layouts for share in range(workers)
    ]
    with multiprocessing.Pool(workers, maxtasksperchild=1) as pool:
        pool.map(fill, jobs, chunksize=1)
    for _, root, _ in layouts:
        above = [*root.glob("org/*"), *root.glob("org"), root]
        above += [each for each in root.parents if each.is_relative_to(volume)]
        for directory in above:
            os.utime(directory, (now - YEAR, now - YEAR))
    total = sum(count * (FILES if kind == "maven" else 2) for kind, _, count in layouts)
    print(f"{volume}: {total} files in {sum(count for _, _, count in layouts)} entries")


if __name__ == "__main__":
    sys.exit(main())
