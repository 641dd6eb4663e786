# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic through a tunnel, measured: ping, UDP echo, TCP each way, pages and names."""

import json
import os
import re
import signal
import socket
import subprocess
import time

from lab import ECHO_PORT, HERE, IPERF_PORT, Failure, expect, wait_until

SECONDS = 10


def ping(lab, target, count=3, interval=0.2, node="client", wait=2):
    """Sends count pings; returns (sent, received)."""
    out = lab.run(node, "ping", "-n", "-q", "-c", count, "-i", interval, "-W", wait, target,
                  check=False, seconds=count * interval + 30)
    match = re.search(r"(\d+) packets transmitted, (\d+) received", out)
    expect(match, f"ping said: {out}")
    return int(match.group(1)), int(match.group(2))


def expect_ping(lab, target, count=3, node="client"):
    """One goes ahead and may be lost: strongSwan answers before another of its threads has the SA ready."""
    ping(lab, target, 1, node=node, wait=1)
    sent, received = ping(lab, target, count, node=node)
    expect(received == sent, f"{received} of {sent} pings to {target} were answered")


class Ping:
    """A ping that runs beside a test, every 10 ms, and knows which answers never came."""

    def __init__(self, lab, target, seconds, interval=0.01):
        self.lab, self.seconds = lab, seconds
        self.log = f"ping-{target}-{time.monotonic_ns()}.log"
        self.process = lab.start("client", "ping", "-n", "-D", "-O", "-w", seconds, "-i", interval, target,
                                 log=self.log)

    def result(self):
        """(sent, received, sequence numbers lost). What was sent last may still be on its way when
        ping ends; it counts as lost only if it is more than a tenth of a second's worth."""
        try:
            self.process.wait(self.seconds + 20)
        except subprocess.TimeoutExpired:
            raise Failure("ping did not end") from None
        text = self.lab.read_log(self.log)
        match = re.search(r"(\d+) packets transmitted, (\d+) received", text)
        expect(match, f"ping said: {text[-300:]}")
        seen = {int(n) for n in re.findall(r"bytes from \S+: icmp_seq=(\d+)", text)}
        sent = int(match.group(1))
        last = max(seen, default=0)
        end = last if sent - last <= 10 else sent
        lost = [n for n in range(1, end + 1) if n not in seen]
        return sent, len(seen), lost


def iperf(lab, target, seconds=SECONDS, mode="--bidir", node="client", more=()):
    """TCP for some seconds, both ways at once unless told: (bits/s up, bits/s down, intervals)."""
    out = lab.run(node, "iperf3", "-c", target, "-p", IPERF_PORT, "-t", seconds, "-J",
                  "--connect-timeout", 3000, *([mode] if mode else []), *more, check=False, seconds=seconds + 30)
    try:
        result = json.loads(out)
    except ValueError:
        raise Failure(f"iperf3 said: {out[:300]}") from None
    expect("error" not in result, f"iperf3: {result.get('error')}")
    up = down = 0.0
    end = result["end"]
    if mode == "--bidir":
        up = end["sum_received"]["bits_per_second"]
        down = end["sum_received_bidir_reverse"]["bits_per_second"]
    elif mode == "-R":
        down = end["sum_received"]["bits_per_second"]
    else:
        up = end["sum_received"]["bits_per_second"]
    return up, down, result["intervals"]


def expect_tcp(lab, target, seconds=SECONDS, least=5e6):
    """TCP both ways at once for some seconds, each way faster than a stall would let it be."""
    up, down, intervals = iperf(lab, target, seconds)
    expect(up > least and down > least,
           f"TCP to {target}: {up / 1e6:.1f} Mbit/s up, {down / 1e6:.1f} Mbit/s down")
    # One second without a byte is a retransmission on a busy machine; three are a tunnel that stopped.
    for way in ("sum", "sum_bidir_reverse"):
        still = 0
        for number, interval in enumerate(intervals):
            still = 0 if interval[way]["bytes"] > 0 else still + 1
            expect(still < 3, f"TCP stood still up to second {number + 1} ({way})")
    return up, down


def page(lab, url, node="client", seconds=5):
    return lab.run(node, "curl", "-sS", "--noproxy", "*", "--max-time", seconds, url, check=False)


def echo_gap(lab, target, seconds, node="client", every=0.02):
    """Runs UDP echoes for some seconds; returns a process whose output lists each answer's time."""
    return lab.start(node, "/usr/bin/python3", os.path.join(HERE, "measure.py"), "echo", target,
                     seconds, every, stdout=subprocess.PIPE, text=True)


def longest_gap(process, since=None):
    """The longest silence (s) among the answers of echo_gap, and how many came."""
    out, _ = process.communicate(timeout=120)
    times = [float(line) for line in out.split() if line]
    times = [t for t in times if since is None or t >= since - 0.5]
    gaps = [b - a for a, b in zip(times, times[1:])]
    return max(gaps, default=float("inf")), len(times)


def echo_main(target, seconds, every):
    """Sends an echo every so often and prints the monotonic time of each answer."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(float(every))
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        begin = time.monotonic()
        try:
            sock.sendto(b"x", (target, ECHO_PORT))
            sock.recv(16)
            print(time.monotonic(), flush=True)
        except OSError:
            pass
        time.sleep(max(0, float(every) - (time.monotonic() - begin)))


class Stream:
    """One TCP connection that has each of its lines sent back: the time of each answer, until it is
    told to stop; then "whole" if none was lost and the connection never broke."""

    def __init__(self, lab, target, node="client"):
        self.lab, self.log = lab, f"ping-tcp-{target}-{time.monotonic_ns()}.log"
        self.process = lab.start(node, "/usr/bin/python3", os.path.join(HERE, "measure.py"), "stream", target,
                                 log=self.log)

    def wait_answer(self, since, seconds):
        """How long after a time the first answer came."""
        def answered():
            lines = self.lab.read_log(self.log).split("\n")[:-1]
            expect(not lines or re.fullmatch(r"[0-9.]+", lines[-1]), f"the TCP connection broke: {lines[-1:]}")
            return bool(lines) and float(lines[-1]) > since
        wait_until(answered, seconds, "an answer by TCP")
        times = [float(line) for line in self.lab.read_log(self.log).split("\n")[:-1]]
        return min(t for t in times if t > since) - since

    def end(self):
        """How many lines came back; fails if one did not."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        *times, last = self.lab.read_log(self.log).split("\n")[:-1] or [""]
        expect(last == "whole", f"the TCP connection broke: {last}")
        return len(times)


def stream_main(target, every=0.02):
    """Numbered lines out every so often, the time of each that comes back."""
    ended = []
    signal.signal(signal.SIGTERM, lambda *unused: ended.append(time.monotonic() + 10))
    sock = socket.create_connection((target, ECHO_PORT), timeout=10)
    sock.settimeout(every)
    number, expected, buffer = 0, 0, b""
    try:
        while not ended or (time.monotonic() < ended[0] and expected < number):
            if not ended and number - expected < 400:
                sock.sendall(b"%015d\n" % number)
                number += 1
            try:
                data = sock.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise OSError("the other side has closed it")
            buffer += data
            while len(buffer) >= 16:
                line, buffer = buffer[:16], buffer[16:]
                if line != b"%015d\n" % expected:
                    raise OSError(f"line {expected} came back as {line}")
                expected += 1
                print(time.monotonic(), flush=True)
            time.sleep(every)
    except OSError as error:
        print(error, flush=True)
        return
    print("whole" if expected == number else f"{number - expected} lines did not come back", flush=True)


if __name__ == "__main__":
    import sys
    if sys.argv[1] == "stream":
        stream_main(sys.argv[2])
    if sys.argv[1] == "echo":
        echo_main(*sys.argv[2:5])
