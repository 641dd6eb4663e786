#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 300 s, full: 1200 s
"""A tunnel whose keys are renewed all the time carries on as if nothing had happened; and one that has
nothing to carry wakes nobody."""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import FULL, case, main  # noqa: E402
from client import Dialtone, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect  # noqa: E402
from measure import Ping, expect_ping, iperf  # noqa: E402

SECONDS = 60
# A transfer whose window is larger than the queues on its way fills them whenever this machine is
# busy elsewhere, and loses its neighbours' packets without any help from a rekey.
TRANSFER = ("-b", "20M", "-w", "48K")
USERS = {"carol": "carol's password"}
# A client renews some time before a lifetime ends: of 10 s after about 8, of 25 s after about 20.
SECRETS = secrets_text(User="carol", Password="carol's password")
# The gateway's own clock, kept out of the way: longer than what the client renews after.
PATIENT = {"rekey_time": "0", "reauth_time": "10m", "over_time": "1m"}


def lives_through(lab, connection, client, phase1_at_least, phase2_at_least):
    site = lab.sites[0]
    lab.serve_office()
    with Gateway(lab, connection, logging=1) as gateway:
        address = client.connect()["address"]
        expect_ping(lab, site.host, count=2)
        ping = Ping(lab, site.host, SECONDS)
        up, down, _ = iperf(lab, site.host, SECONDS, more=TRANSFER)
        sent, received, lost = ping.result()
        log = gateway.text()
        phase1 = log.count("IKE_SA dialup[") and sum(
            "IKE_SA dialup[" in line and "established between" in line for line in log.splitlines())
        phase2 = sum("CHILD_SA dialup{" in line and "established with" in line
                     for line in log.splitlines())
        print(f"# {received} of {sent} pings, {up / 1e6:.1f} and {down / 1e6:.1f} Mbit/s, "
              f"{phase1} times Phase 1, {phase2} times Phase 2")
        expect(not lost, f"{len(lost)} of {sent} pings were lost: {lost[:30]}")
        expect(up > 10e6 and down > 10e6, f"TCP: {up / 1e6:.1f} up, {down / 1e6:.1f} down")
        expect(phase1 >= phase1_at_least, f"Phase 1 ran {phase1} times")
        expect(phase2 >= phase2_at_least, f"Phase 2 ran {phase2} times")
        for event in client.events:
            expect(event["state"] not in ("reconnecting", "failed"), f"it said {event}")
            now = event.get("address", address)
            expect(now == address, f"the address became {now}")
        expect_ping(lab, site.host)
        client.disconnect()


@case("the client renews Phase 2 every 8 s and Phase 1 every 20 s", seconds=150)
def _(lab):
    lives_through(lab, Connection("alice@example.com", ike=PATIENT),
                  Dialtone(lab, profile(Phase1__Lifetime="25s", Phase2__Lifetime="10s")), 3, 7)


@case("the gateway renews Phase 2 every 8 s, the client Phase 1 every 20 s, with XAUTH", seconds=150)
def _(lab):
    lives_through(lab, Connection("alice@example.com", users=USERS, ike=PATIENT,
                                  child={"rekey_time": "8s", "life_time": "20s", "rand_time": "0s"}),
                  Dialtone(lab, profile(Phase1__Lifetime="25s", Phase2__Lifetime="1h"), SECRETS), 3, 6)


# ---- at full rate ----
# As fast as it goes with no more on its way than the queues have room for: see TRANSFER.
FLAT_OUT = ("-w", "48K")
# Keys are renewed every 30 s for ten minutes, or every 3 s for ten seconds.
LONG = (600, "37s", 16) if FULL else (10, "4s", 2)
GROWTH_KB = 3 * 1024


def anonymous_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", file.read(), re.M).group(1))


def established(gateway):
    return sum("CHILD_SA dialup{" in line and "established with" in line for line in gateway.text().splitlines())


@case("Phase 2 is renewed again and again while TCP goes as fast as it can", seconds=900)
def _(lab):
    seconds, lifetime, times = LONG
    site = lab.sites[0]
    lab.serve_office()
    patient = {**PATIENT, "reauth_time": "1h"}
    with Gateway(lab, Connection("alice@example.com", ike=patient), logging=1) as gateway:
        client = Dialtone(lab, profile(Phase2__Lifetime=lifetime))
        # What was freed is kept by AddressSanitizer to see whether it is used: no growth of ours.
        client.environment["ASAN_OPTIONS"] = "detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
        client.connect()
        expect_ping(lab, site.host, count=2)
        idle = anonymous_kb(client.tunnel_pid())
        iperf(lab, site.host, 60 if FULL else 2, more=FLAT_OUT)
        warm = anonymous_kb(client.tunnel_pid())
        before = established(gateway)
        ping = Ping(lab, site.host, seconds)
        up, down, _ = iperf(lab, site.host, seconds, more=FLAT_OUT)
        sent, received, lost = ping.result()
        after = anonymous_kb(client.tunnel_pid())
        renewed = established(gateway) - before
        print(f"# {received} of {sent} pings, {up / 1e6:.0f} and {down / 1e6:.0f} Mbit/s, {renewed} times Phase 2, "
              f"RssAnon {idle} kB idle, {warm} kB warm, {after} kB at the end")
        expect(not lost, f"{len(lost)} of {sent} pings were lost: {lost[:30]}")
        expect(renewed >= times, f"Phase 2 ran {renewed} times")
        expect(not FULL or after - warm < GROWTH_KB, f"it grew from {warm} to {after} kB")
        client.disconnect()


# ---- idle ----
def woken(pids):
    """How often each thread of these has slept and woken."""
    count = {}
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
                text = file.read()
            name = re.search(r"^Name:\s+(.*)$", text, re.M).group(1)
            count[pid, task, name] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
    return count


def datagrams(lab):
    """(received, sent) by UDP in the client's namespace, where nothing else speaks."""
    lines = lab.run("client", "cat", "/proc/net/snmp").splitlines()
    names, numbers = (line.split()[1:] for line in lines if line.startswith("Udp:"))
    counted = dict(zip(names, map(int, numbers)))
    return counted["InDatagrams"], counted["OutDatagrams"]


@case("connected and idle, nothing wakes but keepalives and DPD", seconds=200)
def _(lab):
    seconds = 65 if FULL else 8
    site = lab.sites[0]
    with Gateway(lab, Connection("alice@example.com", ike={**PATIENT, "dpd_delay": "0s"}), logging=1):
        client = Dialtone(lab, profile())
        client.connect()
        expect_ping(lab, site.host, count=2)
        family = client.family()
        # What the pings have set in motion comes to rest: two seconds without a move.
        last, quiet = woken(family), 0
        for _ in range(40):
            time.sleep(0.5)
            now = woken(family)
            quiet, last = (quiet + 1 if now == last else 0), now
            if quiet == 4:
                break
        expect(quiet == 4, "it does not come to rest")
        if FULL:  # threads of GLib's that helped to connect wait half a minute for more to do, and end
            time.sleep(40)
        came, went = datagrams(lab)
        before = woken(family)
        time.sleep(seconds)
        each = {thread: n - before.get(thread, 0) for thread, n in woken(family).items() if n != before.get(thread)}
        wakeups = sum(each.values())
        came, went = (b - a for a, b in zip((came, went), datagrams(lab)))
        print(f"# {wakeups} wakeups in {seconds} s, {went} datagrams sent, {came} received")
        expect(went <= 1 + seconds // 10, f"{went} datagrams in {seconds} s of idleness")
        # The timer for each that leaves; the receiving and the main thread for each that comes; and the timer
        # once more where either has put off what was due, as the pings at the beginning have.
        expect(wakeups <= 2 * (went + 2 * came) + 2, f"{each} for {went} datagrams sent and {came} received")
        client.disconnect()


main()
