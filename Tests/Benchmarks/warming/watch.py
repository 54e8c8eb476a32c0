"""What happens while a pull runs: who holds the lock of the store's layers, and what the processors do."""

import fcntl
import os
import struct
import threading
import time


class LockWatch(threading.Thread):
    """Looks every five milliseconds whether somebody writes to the store's layers; takes no lock."""

    def __init__(self, storage):
        super().__init__(daemon=True)
        self.file = os.open(f"{storage}/vfs-layers/layers.lock", os.O_RDONLY)
        self.looks = self.held = 0
        self.on = True

    def run(self):
        while self.on:
            wanted = struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
            found = struct.unpack("hhqqi", fcntl.fcntl(self.file, fcntl.F_GETLK, wanted))
            self.looks += 1
            self.held += found[0] != fcntl.F_UNLCK
            time.sleep(0.005)

    def share(self):
        """The share of looks that found the lock held."""
        self.on = False
        self.join()
        os.close(self.file)
        return self.held / max(1, self.looks)


def busy_seconds():
    """The processor time that the whole machine has spent working since it started."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, interrupt, soft = map(int, file.readline().split()[1:8])
    return (user + nice + system + interrupt + soft) / os.sysconf("SC_CLK_TCK")


def service_seconds(first):
    """The processor time of the pod whose first process has that id, ended children included."""
    ticks = 0
    waiting = [first]
    while waiting:
        process = waiting.pop()
        try:
            with open(f"/proc/{process}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            for thread in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{thread}/children") as file:
                    waiting += map(int, file.read().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
