"""What goes wrong on purpose, one thing at a time, and what the daemon must make of it."""

import os
import signal
import socket
import sqlite3
import time

PAUSE = 30


def loop(place, daemon, seconds):
    """One fault after the other; kills only in the first third, so that one long life shows the memory."""
    all_faults = [locked_index, reloaded, wrong_configuration, socket_away, volume_away, full_state, pressure,
                  stalled_clients, killed]
    deck = []
    while place.goes_on(90):
        if not deck:
            deck = all_faults[:]
            place.dice.shuffle(deck)
        fault = deck.pop()
        if fault is killed and time.monotonic() > place.began + seconds / 3:
            continue
        with place.turn:
            fault(place, daemon)
            place.faults[fault.__name__.replace("_", " ")] += 1
        end = time.monotonic() + PAUSE * place.dice.uniform(0.7, 1.3)
        while time.monotonic() < end and place.goes_on(90):
            time.sleep(0.5)


def expect(place, daemon, words, after, seconds=30):
    """Something must be logged."""
    if not daemon.until_logged(words, after, seconds):
        place.note(f"never logged {words!r}: {daemon.log_tail()}")


def locked_index(place, daemon):
    """Another process holds the index for longer than the patience of any."""
    connection = sqlite3.connect(place.state / "larder.db", timeout=20, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(place.dice.uniform(6, 12))
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        place.note(f"the index could not be locked: {error}")
    finally:
        connection.close()


def reloaded(place, daemon):
    """SIGHUP with another good configuration."""
    place.configure(critical=place.dice.choice(["39Mi", "40Mi", "41Mi"]))
    after = daemon.log_size()
    daemon.signal(signal.SIGHUP)
    expect(place, daemon, "the configuration was reloaded", after)


def wrong_configuration(place, daemon):
    """SIGHUP with a wrong one: the old one stays."""
    place.configure(more=place.dice.choice(["colour: blue\n", "idle_floor: 3 bananas\n", "{{{\n"]))
    after = daemon.log_size()
    daemon.signal(signal.SIGHUP)
    expect(place, daemon, "is refused", after)
    place.configure()


def socket_away(place, daemon):
    """Podman's socket goes and comes back."""
    away = place.podman_socket.with_suffix(".away")
    os.rename(place.podman_socket, away)
    try:
        daemon.request("prune", "images")
        time.sleep(place.dice.uniform(6, 12))
    finally:
        os.rename(away, place.podman_socket)


def volume_away(place, daemon):
    """The build volume is unmounted beneath the daemon, and mounted again."""
    after = daemon.log_size()
    place.unmount()
    try:
        expect(place, daemon, "volume build is away", after)
        time.sleep(place.dice.uniform(2, 6))
        after = daemon.log_size()
    finally:
        place.mount()
    expect(place, daemon, "volume build is back", after)


def full_state(place, daemon):
    """Nothing more can be written beside the index."""
    filler = place.state / "filler"
    try:
        with open(filler, "wb", buffering=0) as file:
            while file.write(b"\0" * 65536):
                pass
    except OSError:
        pass
    daemon.request("scan", "build")
    time.sleep(place.dice.uniform(10, 20))
    filler.unlink()


def pressure(place, daemon):
    """The build volume fills up: a prune must begin at once, and the level be seen to fall."""
    ballast = place.cache / "ballast"
    after = daemon.log_size()
    try:
        with open(ballast, "wb") as file:
            file.write(os.urandom(30 << 20))
            os.fsync(file.fileno())
        # A gauge that waits after a prune in vain need not say it again.
        if daemon.until_logged("above the critical level", after, 10):
            place.count("pressures")
        time.sleep(3)
    finally:
        ballast.unlink()


def stalled_clients(place, daemon):
    """Clients that send half a request and nothing more; the others are answered meanwhile."""
    clients = []
    try:
        for _ in range(80):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(5)
            client.connect(str(place.socket))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: larder\r\nX-Slow: ")
            clients.append(client)
        for _ in range(10):
            status, _ = daemon.ask("/healthz")
            if status != 200:
                place.note(f"with stalled clients /healthz is answered with {status}")
            time.sleep(1)
    except OSError as error:
        place.note(f"the daemon refuses clients: {error}")
    finally:
        for client in clients:
            client.close()


def killed(place, daemon):
    """SIGKILL at any moment, and a start some seconds later."""
    with daemon.lock:
        daemon.kill()
        time.sleep(place.dice.uniform(0.5, 3))
        daemon.start_again()
    daemon.until_ready()
