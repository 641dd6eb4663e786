#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a VPN client takes to be of use: from the start of its process to the first UDP echo
through the tunnel, asked for every millisecond.

usage: probe.py TARGET SECONDS [--input FILE] -- COMMAND...

Prints one JSON object: ms (null when no echo came), pid and, once a line or the end comes on
standard input, a second one with the peak memory of the client's processes. Then it ends the client.
"""

import json
import os
import select
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from client import children, peak_memory  # noqa: E402
from lab import ECHO_PORT  # noqa: E402

EVERY = 0.001


def spawn(argv, given):
    source = os.open(given or "/dev/null", os.O_RDONLY)
    quiet = os.open("/dev/null", os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, quiet, 1),
               (os.POSIX_SPAWN_DUP2, quiet, 2)]
    return os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)


def first_echo(target, pid, seconds, begin):
    """Milliseconds from begin to the first echo; None when time is over or the client ended."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    while time.monotonic() - begin < seconds:
        try:
            sock.sendto(b"x", (target, ECHO_PORT))
        except OSError:
            pass
        if poller.poll(EVERY * 1000):
            try:
                sock.recv(16)
                return (time.monotonic() - begin) * 1000
            except OSError:
                pass
        if os.waitpid(pid, os.WNOHANG)[0]:
            return None
    return None


def proportional(pid):
    """kB of memory with each shared page counted by its share."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def end(pid):
    try:
        os.kill(pid, signal.SIGTERM)
        for _ in range(1000):
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.005)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def main():
    words = sys.argv[1:]
    split = words.index("--")
    target, seconds, *options = words[:split]
    given = options[1] if options[:1] == ["--input"] else None
    begin = time.monotonic()
    pid = spawn(words[split + 1:], given)
    ms = first_echo(target, pid, float(seconds), begin)
    print(json.dumps({"ms": ms, "pid": pid}), flush=True)
    sys.stdin.readline()
    family = [pid, *children(pid)]
    print(json.dumps({"peak": [peak_memory(p) for p in family],
                      "pss": sum(proportional(p) for p in family)}), flush=True)
    end(pid)


if __name__ == "__main__":
    main()
