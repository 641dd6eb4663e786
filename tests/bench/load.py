# SPDX-License-Identifier: GPL-2.0-or-later
"""The traffic that a contender is put to, and what it costs: TCP, small packets, a mix of sizes, a ping
beside a transfer; CPU time and memory of both ends' processes."""

import json
import re
import statistics
import subprocess
import time

from client import peak_memory
from contenders import cpu_seconds, program
from lab import IPERF_PORT, Failure, expect
from measure import iperf
from probe import proportional

FLOOD_PORT = 7008
SMALL = 64  # bytes of UDP payload
UDP_HEADERS = 28
# Seven of 40, four of 576 and one of 1500 bytes of IP, as far as the tunnel lets the last be so long.
IMIX = (40, 576, 40, 40, 576, 40, 1500, 40, 576, 40, 40, 576)


def tcp(contender, seconds, way="up", streams=1):
    """Mbit/s, and CPU seconds a gigabyte at each end. The server may yet be at the end of the transfer
    before, and on a busy machine iperf3 loses its own connection: both are tried again for a while, and
    fail if they last."""
    sides = [contender.near_pids(), contender.far_pids()]
    end = time.monotonic() + 15
    while True:
        before = [cpu_seconds(s) for s in sides]
        try:
            up, down, _ = iperf(contender.lab, contender.target, seconds, mode="-R" if way == "down" else None,
                                node=contender.near, more=("-P", streams))
            break
        except Failure as failure:
            if "iperf3" not in str(failure) or time.monotonic() > end:
                raise
        time.sleep(0.2)
    rate = down if way == "down" else up
    gigabytes = rate * seconds / 8e9 or 1
    near, far = [(cpu_seconds(s) - b) / gigabytes for s, b in zip(sides, before)]
    return {"mbit": rate / 1e6, "near": near, "far": far}


def flood(contender, seconds, sizes):
    """Packets a second and Mbit/s (IP) that arrive, of as many as the sender makes.

    The sender and all that forwards share the machine's cores. So that it does not take what they
    need, it has the lowest priority: it runs in the time that they leave, and is never what they wait
    for, for then they leave all of it."""
    far = "office" if contender.far == "gateway" else contender.far
    counter = contender.lab.start(far, program("flood"), "count", FLOOD_PORT, stdout=subprocess.PIPE, text=True)
    try:
        expect(counter.stdout.readline().strip() == "ready", "the counter of packets did not start")
        before = sent_packets(contender)
        sent = contender.lab.run(contender.near, "nice", "-n", "19", program("flood"), "send", contender.target,
                                 FLOOD_PORT, seconds, *sizes, seconds=seconds + 30)
        left = sent_packets(contender) - before
        counter.terminate()
        got = json.loads(counter.communicate(timeout=10)[0])
    finally:
        contender.lab.stop(counter)
    return {"packets": got["packets"] / seconds, "left": left / seconds, "sent": json.loads(sent)["sent"] / seconds,
            "mbit": (got["bytes"] + got["packets"] * UDP_HEADERS) * 8 / seconds / 1e6}


def sent_packets(contender):
    """Those that have left the near end's machine; a train by UDP_SEGMENT counts as one."""
    links = json.loads(contender.lab.ip(contender.near, "-j", "-s", "link", "show", "eth0"))
    return links[0]["stats64"]["tx"]["packets"]


def small(contender, seconds):
    return flood(contender, seconds, [SMALL])


def imix(contender, seconds):
    return flood(contender, seconds, [min(size, contender.mtu) - UDP_HEADERS for size in IMIX])


def ping_times(contender, count, interval=0.01):
    out = contender.lab.run(contender.near, "ping", "-n", "-c", count, "-i", interval, "-W", 2, contender.target,
                            check=False, seconds=count * interval + 30)
    times = [float(word) for word in re.findall(r"time=([0-9.]+) ms", out)]
    if not times:
        raise Failure(f"{contender.name}: no ping was answered: {out[-300:]}")
    return times


def latency(contender, seconds):
    """Median and 95th percentile (ms) of a ping, alone and beside a TCP stream that takes all it can get."""
    alone = ping_times(contender, 50)
    count = int(seconds * 100)
    transfer = contender.lab.start(contender.near, "iperf3", "-c", contender.target, "-p", IPERF_PORT, "-t",
                                   int(seconds) + 3, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ping_times(contender, 50)  # while the stream finds its rate
        loaded = ping_times(contender, count)
        expect(transfer.poll() is None, "the transfer ended before the pings did")
        transfer.wait(60)  # one that is killed may leave its server waiting when the tunnel goes
    finally:
        contender.lab.stop(transfer)
    return {"alone": statistics.median(alone), "median": statistics.median(loaded),
            "late": sorted(loaded)[int(len(loaded) * 0.95)]}


def memory(pids):
    """Peak resident memory and present share of memory (kB) of processes together."""
    return {"peak": sum(peak_memory(p) for p in pids), "pss": sum(proportional(p) for p in pids)}
