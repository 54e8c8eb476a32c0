"""Small build volumes for the safety programs, and the independent check of what Larder made of them.

Nothing here uses Larder's code: files are compared by their SHA-256, the index by the sqlite3 command.
"""

import hashlib
import os
import random
import shutil
import subprocess
import time
from pathlib import Path

DAY = 86_400
LARDER = Path(os.environ.get("LARDER", Path(__file__).parents[2] / ".build/debug/larder"))


def larder(volume, state, *arguments, wrap=(), environment=None):
    """Runs Larder on one volume; the idle floor is off, as reading the files for the check is a use."""
    variables = {**os.environ, "LARDER_STATE": str(state), **(environment or {})}
    common = ["--build-cache", str(volume), "--state", str(state), "--image-root", "/nonexistent"]
    return subprocess.run(
        [*wrap, str(LARDER), *arguments, *common], env=variables, text=True, capture_output=True, errors="replace")


def add_entry(root, name, seed, days=40, size=9000, damaged=False):
    """Makes the Maven entry `g:<name>:1` with bytes that no other entry has, and on demand not those that its
    checksum was taken of."""
    directory = Path(root) / ".m2/repository/g" / name / "1"
    directory.mkdir(parents=True)
    dice = random.Random(seed)
    files = {
        f"{name}-1.jar": dice.randbytes(size),
        f"{name}-1.pom": f"<project><groupId>g</groupId><name>{dice.random()}</name></project>".encode(),
        "_remote.repositories": f"{name}-1.jar>central=\n{name}-1.pom>central=\n#{dice.random()}\n".encode(),
    }
    if damaged:
        files[f"{name}-1.jar.sha1"] = hashlib.sha1(files[f"{name}-1.jar"] + b"the end").hexdigest().encode()
    for file, content in files.items():
        (directory / file).write_bytes(content)
    age(directory, days)
    return directory


def age(directory, days):
    """Makes a tree look as if nobody had touched it for days."""
    then = time.time() - days * DAY
    for path, _, files in os.walk(directory, topdown=False):
        for name in [*files, "."]:
            os.utime(os.path.join(path, name), (then, then), follow_symlinks=False)


def digest_tree(directory):
    """What a tree holds: its relative paths with the SHA-256 of each file. Moves no access time."""
    found = {}
    for path, directories, files in os.walk(directory):
        for name in files:
            whole = os.path.join(path, name)
            relative = os.path.relpath(whole, directory)
            if os.path.islink(whole) or not os.path.isfile(whole):
                found[relative] = "special"
                continue
            descriptor = os.open(whole, os.O_RDONLY | os.O_NOATIME)
            with open(descriptor, "rb") as file:
                found[relative] = hashlib.sha256(file.read()).hexdigest()
        for name in directories:
            if os.path.islink(os.path.join(path, name)):
                found[os.path.relpath(os.path.join(path, name), directory)] = "link"
    return found


def entries(root):
    """All entries of a volume made here, by path, with what they hold."""
    top = Path(root) / ".m2/repository/g"
    return {str(d.relative_to(root)): digest_tree(d) for d in sorted(top.glob("*/*")) if d.is_dir()}


def empty(directory):
    """Removes all that is in a directory and keeps itself, with its inode."""
    for child in Path(directory).iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()


def copy_into(source, target):
    """Copies a tree into an empty directory, times included."""
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)


def query(state, sql):
    """Rows of the index, by the sqlite3 command."""
    result = subprocess.run(
        ["sqlite3", "-readonly", "-separator", "\t", f"{state}/larder.db", sql], capture_output=True, text=True)
    if result.returncode != 0:
        return [f"sqlite3 failed: {result.stderr.strip()}"]
    return result.stdout.splitlines()


def trashed(root):
    """What lies in the trash as an entry: its path and what it holds."""
    trash = Path(root) / ".larder/trash"
    return {
        str(d.relative_to(root)): digest_tree(d)
        for run in (trash.iterdir() if trash.is_dir() else []) if run.is_dir()
        for d in run.iterdir() if d.is_dir() and d.name.isdigit()
    }


def check_entries(root, before, may_be_gone):
    """Each entry is whole in the cache, whole in the trash, or gone; a sentence for each that is not."""
    wrong = []
    cache = entries(root)
    waiting = trashed(root)
    for path, content in before.items():
        places = [p for p in (path,) if cache.get(p) == content] + [p for p, c in waiting.items() if c == content]
        if len(places) > 1:
            wrong.append(f"{path} is in {places}")
        if not places and path in cache:
            wrong.append(f"{path} is damaged in the cache")
        if not places and not may_be_gone:
            wrong.append(f"{path} is lost")
    for path, content in cache.items():
        if path not in before:
            wrong.append(f"{path} appeared in the cache")
    for path, content in waiting.items():
        if content not in before.values():
            wrong.append(f"{path} in the trash is no whole entry")
    return wrong


def check_strays(root, state):
    """Files that nobody needs: drafts, probes, halves, empty runs."""
    wrong = []
    own = Path(root) / ".larder"
    if own.is_dir():
        wrong += [f"stray .larder/{n}" for n in os.listdir(own) if n not in {"lock", "volume-id", "trash", "clock"}]
    trash = own / "trash"
    for run in os.listdir(trash) if trash.is_dir() else []:
        names = os.listdir(trash / run) if (trash / run).is_dir() else []
        if not any(n.isdigit() for n in names):
            wrong.append(f"empty run {run} in the trash: {names}")
        wrong += [f"stray {run}/{n}" for n in names if not n.isdigit() and n not in {"journal.json", "ended"} and not n.startswith("held-")]
    # A note or a tree that was cut off is written over by the next one.
    known = {"larder.db", "larder.db.checked", "reserve", "clock.json", "clock.json.new", "tree-build", "tree-build.new",
             "daemon.lock"}
    wrong += [f"stray {n} in the state directory" for n in os.listdir(state) if n not in known]
    return wrong


def check_index(root, state):
    """The index lists what is in the cache, and a ghost with its run for what waits in the trash."""
    wrong = []
    if query(state, "PRAGMA integrity_check") != ["ok"]:
        wrong.append("the index fails its integrity check")
    listed = set(query(state, "SELECT CAST(path AS TEXT) FROM entries"))
    if listed != set(entries(root)):
        wrong.append(f"the index lists {sorted(listed ^ set(entries(root)))} otherwise than the cache")
    runs = {Path(p).parts[2] for p in trashed(root)}
    if not runs <= set(query(state, "SELECT id FROM runs")):
        wrong.append("the index does not know a run in the trash")
    ghosts = query(state, "SELECT count(*) FROM ghosts WHERE reason IN ('evicted', 'quarantined')")
    if int(ghosts[0]) < len(trashed(root)):
        wrong.append(f"{len(trashed(root))} entries wait in the trash, {ghosts[0]} are known as evicted")
    return wrong
