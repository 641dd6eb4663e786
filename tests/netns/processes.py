#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 60 s, full: 60 s
"""While connected, whoever parses what the network sends can do nothing else; whoever has
privileges knows nothing."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import re  # noqa: E402

from cases import case, main  # noqa: E402
from client import CALLER, Dialtone, descriptors, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import Failure, expect, run  # noqa: E402
from measure import expect_ping  # noqa: E402

PSK = "a secret that is looked for in memory"
PASSWORD = "a password that is looked for in memory"
DESCRIPTION = "a description that is looked for in memory"
CAP_NET_ADMIN = 1 << 12


def status(pid, task=None):
    """The fields of a thread's status file."""
    path = f"/proc/{pid}/task/{task}/status" if task else f"/proc/{pid}/status"
    with open(path, encoding="utf-8", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def threads(pid):
    return [(task, status(pid, task)) for task in sorted(os.listdir(f"/proc/{pid}/task"))]


def connected(lab):
    lab.serve_office()
    Gateway(lab, Connection("alice@example.com", psk=PSK, users={"carol": PASSWORD})).up()
    client = Dialtone(lab, profile(Profile__Description=DESCRIPTION),
                      secrets_text(PSK, User="carol", Password=PASSWORD))
    client.connect()
    expect_ping(lab, lab.sites[0].host)
    return client


def memory_holds(pid, what):
    """True where the bytes stand in the writable memory of a process."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
        ranges = [line.split()[:2] for line in maps]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for span, rights in ranges:
            begin, end = (int(part, 16) for part in span.split("-"))
            if "w" not in rights or begin > 1 << 62:
                continue
            try:
                memory.seek(begin)
                if what.encode() in memory.read(end - begin):
                    return True
            except OSError:
                continue
    return False


def udp_inodes(pid):
    found = set()
    for name in ("udp", "udp6", "udplite", "raw", "raw6", "packet"):
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
            column = 8 if name == "packet" else 9
            found |= {line.split()[column] for line in file.readlines()[1:]}
    return found


def held_udp(pid):
    inodes = udp_inodes(pid)
    sockets = [re.fullmatch(r"socket:\[(\d+)\]", d) for d in descriptors(pid)]
    return [m.group(1) for m in sockets if m and m.group(1) in inodes]


@case("the tunnel process: a uid of nobody, no capabilities, NoNewPrivs and seccomp in every thread")
def _(lab):
    client = connected(lab)
    tunnel = client.tunnel_pid()
    expect(held_udp(tunnel), "the process that holds the TUN holds no UDP socket")
    found = threads(tunnel)
    print(f"# {len(found)} threads, uid {found[0][1]['Uid'].split()[0]}")
    for task, fields in found:
        uids, gids = set(fields["Uid"].split()), set(fields["Gid"].split())
        expect(len(uids) == 1 and len(gids) == 1, f"thread {task}: uids {uids}, gids {gids}")
        expect(not uids & {"0", str(CALLER)}, f"thread {task} has uid {uids}")
        expect(not gids & {"0", str(CALLER)}, f"thread {task} has gid {gids}")
        expect(not fields["Groups"].strip(), f"thread {task} is in groups {fields['Groups']}")
        for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            expect(int(fields[caps], 16) == 0, f"thread {task}: {caps} is {fields[caps]}")
        expect(fields["NoNewPrivs"] == "1", f"thread {task}: NoNewPrivs is {fields['NoNewPrivs']}")
        expect(fields["Seccomp"] == "2", f"thread {task}: Seccomp is {fields['Seccomp']}")
    batch = [fields["Name"] for task, fields in found if os.sched_getscheduler(int(task)) == os.SCHED_BATCH]
    expect(sorted(batch) == ["dialtone-recv", "dialtone-send"], f"batch work (sched(7)) are the threads {batch}")


@case("the tunnel process can't be traced, by another process of its uid neither")
def _(lab):
    client = connected(lab)
    tunnel = client.tunnel_pid()
    uid = status(tunnel)["Uid"].split()[0]
    expect(os.stat(f"/proc/{tunnel}/mem").st_uid == 0, "its /proc files belong to its uid")
    seize = ("import ctypes,sys; libc=ctypes.CDLL(None,use_errno=True); "
             f"r=libc.ptrace(0x4206,{tunnel},None,None); print(r, ctypes.get_errno())")
    said = run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3",
                "-c", seize])
    expect(said.split() == ["-1", "1"], f"PTRACE_SEIZE said {said}")
    try:
        run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "cat",
             f"/proc/{tunnel}/environ"])
    except Failure:
        return
    raise Failure("another process of its uid reads its environment")


@case("the helper: CAP_NET_ADMIN alone, no UDP socket, no TUN, neither profile nor secret")
def _(lab):
    client = connected(lab)
    helper, tunnel = client.process.pid, client.tunnel_pid()
    for task, fields in threads(helper):
        for caps in ("CapPrm", "CapEff"):
            extra = int(fields[caps], 16) & ~CAP_NET_ADMIN
            expect(extra == 0, f"thread {task}: {caps} is {fields[caps]}")
        expect(fields["NoNewPrivs"] == "1", f"thread {task}: NoNewPrivs is {fields['NoNewPrivs']}")
    expect(not held_udp(helper), f"it holds UDP sockets: {held_udp(helper)}")
    opened = [d for d in descriptors(helper) if client.folder in d]
    expect(not opened, f"it has open {opened}")
    expect(memory_holds(tunnel, PSK), "the search for a secret finds nothing anywhere")
    for what in (PSK, PASSWORD, DESCRIPTION):
        expect(not memory_holds(helper, what), f"the helper's memory holds: {what}")


@case("the agent runs as the user who called, in every thread, without capabilities")
def _(lab):
    client = connected(lab)
    agent = client.agent_pid()
    for task, fields in threads(agent):
        expect(set(fields["Uid"].split()) == {str(CALLER)}, f"thread {task}: uids {fields['Uid']}")
        expect(set(fields["Gid"].split()) == {str(CALLER)}, f"thread {task}: gids {fields['Gid']}")
        for caps in ("CapPrm", "CapEff"):
            expect(int(fields[caps], 16) == 0, f"thread {task}: {caps} is {fields[caps]}")
    expect(not held_udp(agent), "the agent holds a UDP socket")
    expect(not any("/dev/net/tun" in d for d in descriptors(agent)), "the agent holds the TUN")


@case("no secret stands on a command line, in an environment or in what was printed")
def _(lab):
    client = connected(lab)
    for pid in client.family():
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                content = file.read()
            for secret in (PSK, PASSWORD):
                expect(secret.encode() not in content, f"{name} of {pid} holds a secret")
    client.disconnect()
    said = client.stderr() + str(client.events)
    expect(PSK not in said and PASSWORD not in said, "a secret was printed")


@case("core dumps hold nothing: each process that knows a secret is not dumpable")
def _(lab):
    client = connected(lab)
    for pid in client.family():
        if memory_holds(pid, PSK) or memory_holds(pid, PASSWORD):
            owner = os.stat(f"/proc/{pid}/mem").st_uid
            expect(owner == 0, f"process {pid} of uid {owner} knows a secret and is dumpable")


main()
