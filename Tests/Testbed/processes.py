"""Starting, watching and ending processes, always by their own id.

A process id alone can be recycled, so a process is remembered by its id and
its start time, as the kernel reports it in /proc/PID/stat (field 22).
"""

import os
import signal
import subprocess
import time

from layout import JOB_UID, TestbedError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def start_time(pid):
    """The start time of a live process in clock ticks since boot; None if it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def remember(name, pid):
    """The record of a process for `state.json`."""
    return {"name": name, "pid": pid, "start": start_time(pid)}


def is_alive(record):
    """Whether the process of a record still runs: same id, same start."""
    return record["start"] is not None and start_time(record["pid"]) == record["start"]


def wait_until(condition, seconds, subject):
    """Polls `condition` until it gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TestbedError(f"{subject}: not so after {seconds} s")
        time.sleep(0.02)


def end(record, seconds=10):
    """Ends a process: asks first, kills after `seconds`. Does nothing if it is gone."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 10)):
        if not is_alive(record):
            return
        try:
            os.kill(record["pid"], number)
        except ProcessLookupError:
            return
        try:
            wait_until(lambda: not is_alive(record), patience, f"{record['name']} ends")
        except TestbedError:
            if number == signal.SIGKILL:
                raise TestbedError(f"{record['name']} (pid {record['pid']}) survives SIGKILL") from None


def bound(argv, job_user=False):
    """The command, made to die with its parent, as the job's user if asked."""
    prefix = ["setpriv", "--pdeathsig", "KILL"]
    if job_user:
        prefix += [f"--reuid={JOB_UID}", f"--regid={JOB_UID}", "--init-groups"]
    return [*prefix, *map(str, argv)]


def environment(home, **more):
    """A small environment of our own: nothing of the caller's changes a run."""
    values = {"PATH": PATH, "HOME": home, "LANG": "C.UTF-8", **more}
    return {key: str(value) for key, value in values.items()}


def run(argv, env, log, cwd=None, job_user=False, timeout=300):
    """Runs a command to its end with its output appended to the file `log`.

    A failure says which command it was, and the last lines it wrote.
    """
    with open(log, "a+b") as output:
        begin = output.seek(0, os.SEEK_END)
        try:
            code = subprocess.run(
                bound(argv, job_user), env=env, cwd=cwd, timeout=timeout,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            ).returncode
        except subprocess.TimeoutExpired:
            code = f"no end within {timeout} s"
        if code != 0:
            output.seek(begin)
            words = " ".join(map(str, argv))
            raise TestbedError(f"`{words}` failed ({code}):\n{tail(output.read())}", f"all of its output is in {log}")


def tail(data, lines=15):
    """The last lines of some output, indented."""
    text = data.decode(errors="replace").strip() or "(no output)"
    return "\n".join("    " + line for line in text.splitlines()[-lines:])
