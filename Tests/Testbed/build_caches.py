"""The build volume, filled by real builds: a Maven repository and a Gradle home in one directory."""

import os
import shutil
from pathlib import Path

from layout import HERE, JOB_UID, JOB_USER, TestbedError
from processes import environment, run

JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
MAVEN_PROJECTS = ("alpha", "beta", "local")
GRADLE_PROJECTS = ("gamma", "delta")

SETTINGS = """\
<settings>
  <mirrors>
    <mirror><id>central</id><mirrorOf>*</mirrorOf><url>{url}</url></mirror>
  </mirrors>
</settings>
"""


def prepare(layout, url):
    """Copies the projects into the testbed, for the job's user to build, and writes Maven's settings."""
    shutil.copytree(HERE / "projects", layout.projects)
    layout.cache.mkdir()
    layout.settings.write_text(SETTINGS.format(url=url))
    give_to_job(layout.cache)
    give_to_job(layout.projects)


def give_to_job(directory):
    """Makes the job's user the owner of a directory and all in it."""
    shutil.chown(directory, JOB_USER, JOB_USER)
    for parent, directories, files in os.walk(directory):
        for name in directories + files:
            os.chown(os.path.join(parent, name), JOB_UID, JOB_UID, follow_symlinks=False)


def maven(layout, project, offline=False, repository=None, arguments=()):
    """Builds a Maven project as the job's user. `local` is installed, the others are packaged.

    A new repository gets `local` first if `beta`, which depends on it, is to be built.
    """
    layout.require("mirror")
    if project not in MAVEN_PROJECTS:
        raise TestbedError(f"there is no Maven project {project}", f"choose one of {', '.join(MAVEN_PROJECTS)}")
    repository = Path(repository or layout.repository).absolute()
    if make_repository(repository) and project == "beta":
        maven(layout, "local", offline, repository)
    argv = [
        "mvn", "--batch-mode", "--settings", layout.settings, f"-Dmaven.repo.local={repository}",
        *(["--offline"] if offline else []),
        *arguments, "install" if project == "local" else "package",
    ]
    env = environment(layout.home, MAVEN_OPTS=f"{JVM} -Duser.home={layout.home}")
    run(argv, env, layout.log / f"maven-{project}.log", cwd=layout.projects / "maven" / project, job_user=True)


def make_repository(repository):
    """Creates an empty local repository that the job's user can fill; False if it is there already."""
    if repository.exists():
        return False
    for directory in (repository.parent, repository):
        if not directory.exists():
            directory.mkdir()
            os.chown(directory, JOB_UID, JOB_UID)
    return True


def gradle(layout, project="gamma", offline=False, arguments=()):
    """Builds a Gradle project as the job's user, with the build volume as Gradle's user home."""
    url = layout.require("mirror")["servers"]["mirror"]
    if project not in GRADLE_PROJECTS:
        raise TestbedError(f"there is no Gradle project {project}", f"choose one of {', '.join(GRADLE_PROJECTS)}")
    argv = [
        "gradle", "--no-daemon", "--console=plain",
        *(["--offline"] if offline else []),
        *arguments, "build",
    ]
    env = environment(
        layout.home, GRADLE_USER_HOME=layout.cache, MIRROR_URL=url,
        JAVA_OPTS=f"{JVM} -Duser.home={layout.home}",
    )
    run(argv, env, layout.log / f"gradle-{project}.log", cwd=layout.projects / "gradle" / project, job_user=True)


def fill_maven(layout):
    """Three builds: one that installs an artifact locally, two with partly the same dependencies."""
    for project in ("local", "alpha", "beta"):
        maven(layout, project)


def fill_gradle(layout):
    """Two builds with partly the same dependencies."""
    for project in GRADLE_PROJECTS:
        gradle(layout, project)
