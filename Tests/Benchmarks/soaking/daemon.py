"""The daemon under test: its process, its log, its memory, and how to ask it."""

import collections
import http.client
import json
import socket
import subprocess
import threading
import time


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout=10):
        super().__init__("larder", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """A `larder serve` that is started again when it was killed."""

    # MB. SQLite's caches of half a megabyte for each reader may still fill, as the index grows from nothing.
    GROWTH = 1

    def __init__(self, place):
        self.place, self.process = place, None
        self.lock = threading.Lock()
        self.resident, self.lives = [], []
        self.wanted = False

    def start(self):
        """Starts it. It dies with the thread that calls this."""
        log = open(self.place.log, "ab")
        self.wanted = False
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", self.place.larder, "--config", self.place.file, "serve"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.lives.append([time.monotonic(), []])

    def tend(self, threads):
        """Starts it whenever that is wanted, until the threads have ended."""
        while any(thread.is_alive() for thread in threads):
            if self.wanted:
                self.start()
            time.sleep(0.05)

    def start_again(self):
        """Lets the main thread start it."""
        self.wanted = True
        while self.wanted and not self.place.stopped.is_set():
            time.sleep(0.05)

    def until_ready(self, seconds=90):
        """Waits until the daemon says that it is ready."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ask("/readyz")[0] == 200:
                return True
            if self.process.poll() is not None:
                self.place.note(f"the daemon ended by itself with {self.process.returncode}: {self.log_tail()}")
                return False
            time.sleep(0.1)
        self.place.note(f"the daemon is not ready after {seconds} s: {self.ask('/readyz')[1]}")
        return False

    def log_tail(self, size=600):
        return self.place.log.read_text(errors="replace")[-size:]

    def ask(self, path, method="GET", body=None, headers=None):
        """One request; 0 where no answer came."""
        connection = Connection(self.place.socket)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()

    def request(self, activity, volume):
        """Asks for a run; whether it was taken on."""
        headers = {"Authorization": f"Bearer {self.place.token.read_text().strip()}", "Content-Type": "application/json"}
        return self.ask("/api/v1/runs", "POST", json.dumps({"activity": activity, "volume": volume}), headers)[0] == 202

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """The end without a warning."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def stop(self):
        """SIGTERM, which must end it with 0."""
        self.process.terminate()
        try:
            code = self.process.wait(40)
        except subprocess.TimeoutExpired:
            code = "no end in 40 s"
        if code != 0:
            self.place.note(f"after SIGTERM the daemon ended with {code}: {self.log_tail()}")

    def lines(self, after=0):
        """The events of the log, from a position on."""
        with open(self.place.log, "rb") as log:
            log.seek(after)
            text = log.read().decode(errors="replace")
        found = []
        for line in text.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"message": line, "level": "unreadable"})
        return found

    def log_size(self):
        return self.place.log.stat().st_size

    def until_logged(self, words, after, seconds=30):
        """Whether a line with these words comes in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(words in line["message"] for line in self.lines(after)):
                return True
            time.sleep(0.2)
        return False

    def activities(self):
        """How often each activity ended, and how."""
        ended = [line for line in self.lines() if "result" in line]
        return collections.Counter(f"{line['activity']} {line['result']}" for line in ended)

    def watch(self):
        """Looks at the resident memory every second; an end that nobody asked for is a violation."""
        while self.place.goes_on():
            with self.lock:
                process, life = self.process, self.lives[-1]
                if process.poll() is not None:
                    self.place.note(f"the daemon ended by itself with {process.returncode}: {self.log_tail()}")
                    self.start_again()
                    continue
                megabytes = resident(process.pid)
            if megabytes:
                now = time.monotonic()
                self.resident.append((now - self.place.began, *megabytes))
                life[1].append(megabytes[1])
            time.sleep(1)

    @staticmethod
    def resident_near(samples, at, around=20):
        """The median within some seconds of a time: all, and what belongs to no file."""
        near = sorted(sample[1:] for sample in samples if abs(sample[0] - at) <= around)
        return near[len(near) // 2] if near else None

    def lives_told(self):
        """The memory of each life that belongs to no file: begin, middle and end, and the most."""
        return [f"{len(samples)} s: {' → '.join(f'{value:.1f}' for value in medians(samples))}, {max(samples):.1f} at most"
                for _, samples in self.lives if len(samples) >= 10]

    def judge_memory(self):
        """A life of twenty minutes or more must not grow in its second half: what it keeps it has by then."""
        for _, samples in self.lives:
            if len(samples) < 1200:
                continue
            _, middle, end = medians(samples)
            if end > middle + self.GROWTH:
                self.place.note(f"memory grew from {middle:.1f} to {end:.1f} MB in the second half of {len(samples)} s")


def medians(samples):
    """The median of some samples at the begin, in the middle and at the end."""
    part = max(3, len(samples) // 10)
    middle = len(samples) // 2
    cuts = [samples[:part], samples[middle - part // 2:middle + part // 2 + 1], samples[-part:]]
    return [sorted(cut)[len(cut) // 2] for cut in cuts]


def resident(pid):
    """Resident MB, and those of them that are no pages of files; None for a process that is gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            found = dict(line.split(":") for line in file if line.startswith(("VmRSS", "RssAnon")))
            return tuple(int(found[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")) if found else None
    except (FileNotFoundError, ProcessLookupError):
        return None
