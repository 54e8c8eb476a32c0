#!/usr/bin/env python3
"""Writes the list of keys that GitLab Runner reads from config.toml.

    runner_keys.py CHECKOUT > Sources/RunnerLint/runner-keys.txt

CHECKOUT is a git directory of gitlab-runner with its tags. The keys are the
`toml:"…"` tags of the structs below `Config` in common/config.go and of the
packages it names; a field without such a tag is read by its own name. Each line is a path, its kind and the first release whose
sources had it. Feature flags are listed below `runners[].feature_flags`.
A path ends a step with [] where a list of tables is meant,
and with * where any key may stand.
"""

import re
import subprocess
import sys

FIELD = re.compile(r"^\t([A-Z]\w*)\s+([*\[\]\w.]+)\s*(?:`([^`]*)`)?\s*(?://.*)?$")
EMBEDDED = re.compile(r"^\t((?:[a-z]\w*\.)?[A-Z]\w*)$")
ALIAS = re.compile(r"^type (\w+) (\S+)$")
SCALARS = {"string": "string", "bool": "boolean", "float64": "number", "any": "any", "interface{}": "any"}
SCALARS |= {kind: "integer" for kind in ("int", "int64", "uint", "uint64", "int32", "uint32")}
# Kinds that the TOML reader fills in its own way: a duration is "10m" or nanoseconds, a list may be one string.
OWN = {"time.Duration": "duration", "StringOrArray": "strings", "time.Time": "string"}


def git(checkout, *arguments):
    result = subprocess.run(["git", "-C", checkout, *arguments], capture_output=True, text=True, check=False)
    return result.stdout


def structs(checkout, commit):
    """The fields of each struct, and what other types stand for, at a commit."""
    files = git(checkout, "grep", "-l", 'toml:"', commit, "--", "common", "cache", "referees", "helpers/ssh",
                "helpers/docker", "helpers/virtualbox").split()
    fields, aliases = {}, {}
    for name in files:
        path = name.split(":", 1)[1]
        if path.endswith("_test.go"):
            continue
        current = None
        package = path.split("/")[-2]
        for line in git(checkout, "show", name).splitlines():
            if match := re.match(r"^package (\w+)", line):
                # The directory had another name than the package at times.
                package = match[1]
            elif match := re.match(r"^type (\w+) struct \{", line):
                current = match[1]
                local = fields.setdefault(current if path.startswith("common/config.go") else f"{package}.{current}", [])
            elif line == "}":
                current = None
            elif current and (match := EMBEDDED.match(line)):
                local.append((None, match[1]))
            elif current and (match := FIELD.match(line)):
                tag = re.search(r'toml:"([^",]*)', match[3] or "")
                name = tag[1] if tag and tag[1] else match[1]
                if name != "-":
                    local.append((name, match[2]))
            elif match := ALIAS.match(line):
                aliases[match[1]] = match[2]
    return fields, aliases


def walk(fields, aliases, kind, prefix, scope, found):
    """Adds the paths below a type to `found`."""
    kind = kind.lstrip("*")
    if kind in OWN:
        found[prefix] = OWN[kind]
    elif kind in SCALARS:
        found[prefix] = SCALARS[kind]
    elif kind.startswith("[]"):
        element = kind[2:].lstrip("*")
        target = resolve(fields, aliases, element, scope)
        if isinstance(target, list):
            found[prefix] = "tables"
            walk(fields, aliases, element, prefix + "[]", scope, found)
        else:
            found[prefix] = "strings" if SCALARS.get(target) == "string" else "list"
    elif match := re.match(r"map\[string\](.*)", kind):
        found[prefix] = "table"
        walk(fields, aliases, match[1], prefix + ".*", scope, found)
    else:
        target = resolve(fields, aliases, kind, scope)
        if isinstance(target, list):
            if prefix:
                found.setdefault(prefix, "table")
            for key, field in target:
                if key is None:
                    if isinstance(resolve(fields, aliases, field, scope), list):
                        walk(fields, aliases, field, prefix, scope, found)
                else:
                    inner = kind.split(".")[0] if "." in kind else scope
                    path = f"{prefix}.{key}" if prefix else key
                    walk(fields, aliases, field, path, inner, found)
        elif target == kind:
            found[prefix] = "any"
        else:
            walk(fields, aliases, target, prefix, scope, found)
    return found


def flags(checkout, commit):
    """The feature flags at a commit, as keys of their table."""
    text = "".join(git(checkout, "show", f"{commit}:{path}")
                   for path in ("helpers/featureflags/flags.go", "helpers/feature_flags/flags.go"))
    return {f"runners[].feature_flags.{name}": "boolean" for name in re.findall(r'= "(FF_\w+)"', text)}


def resolve(fields, aliases, kind, scope):
    """The fields of a struct, or what a type stands for."""
    local = kind if "." in kind or scope == "common" else f"{scope}.{kind}"
    if local in fields:
        return fields[local]
    return aliases.get(kind.split(".")[-1], kind)


def main(checkout):
    tags = git(checkout, "tag", "--sort=v:refname").split()
    releases = [tag for tag in tags if re.fullmatch(r"v\d+\.\d+\.0", tag)]
    since = {}
    for release in releases:
        found = walk(*structs(checkout, release), "Config", "", "common", {}) | flags(checkout, release)
        since = {path: since.get(path, release[1:-2]) for path in found}
    print(f"# The keys of GitLab Runner {releases[-1][1:]}, by Tests/deploy/runner_keys.py: path, kind, first release.")
    for path in sorted(found):
        print(path, found[path], since[path])


if __name__ == "__main__":
    main(sys.argv[1])
