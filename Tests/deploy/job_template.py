"""What a job gets from the shipped files: its environment, its script, its tags.

They are read from deploy/gitlab-ci and deploy/gitlab-runner, and from nowhere else, so that a change
of those files changes what the checks run.
"""

import re
import tomllib
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
TEMPLATE = DEPLOY / "gitlab-ci/integration-test.gitlab-ci.yml"
RUNNER = DEPLOY / "gitlab-runner/config.toml"
JOB = "integration-test"
# What the architecture document has in the place of the template.
DOCUMENT = {"MAVEN_OPTS": "-Dmaven.repo.local=/cache/.m2/repository", "GRADLE_USER_HOME": "/cache"}
DOCUMENT_SCRIPT = ["mvn clean verify"]


def template():
    """The pipeline template."""
    return yaml.safe_load(TEMPLATE.read_text())


def runner():
    """The runner of config.toml."""
    return tomllib.loads(RUNNER.read_text())["runners"][0]


def script():
    """The lines that the job runs."""
    return template()[JOB]["script"]


def environment(slot):
    """The variables of a job in the slot of that number, expanded as the runner does it."""
    values = dict(line.split("=", 1) for line in runner()["environment"])
    values |= template()["variables"] | template()[JOB].get("variables", {}) | {"CI_CONCURRENT_ID": str(slot)}
    return {key: re.sub(r"\$\{?(\w+)\}?", lambda name: values.get(name[1], ""), str(value))
            for key, value in values.items()}


def trusted(job):
    """The variables of a job of trusted-cache.gitlab-ci.yml, with the runner's."""
    pipeline = yaml.safe_load((DEPLOY / "gitlab-ci/trusted-cache.gitlab-ci.yml").read_text())
    values = dict(line.split("=", 1) for line in runner()["environment"])
    values |= pipeline.get(pipeline[job].get("extends", ""), {}).get("variables", {}) | pipeline[job].get("variables", {})
    return {key: str(value) for key, value in values.items()}


def tag_problems():
    """Where the template's tags and the runner's file disagree, as far as files can tell.

    A runner's tags are kept by GitLab: no file that the runner reads holds them. What can be known is that
    the job asks for the one tag that the guide tells to set in GitLab, that it is named after the runner
    it is meant for, and that the runner's file does not pretend to set any.
    """
    tags = template()[JOB].get("tags", [])
    name = runner()["name"]
    guide = (DEPLOY / "README.md").read_text()
    problems = []
    if tags != [name]:
        problems.append(f"the job's tags are {tags}, and the runner is called {name}")
    problems += [f"the guide does not tell to set the tag {tag}" for tag in tags if f"the tag `{tag}`" not in guide]
    problems += [f"config.toml has {key}, which the runner ignores"
                 for key in ("tags", "tag_list", "tag-list") if key in runner()]
    return problems
