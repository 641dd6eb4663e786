#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real helper on a machine to throw away: run.py HELPER-RIG [PART-OF-A-NAME...]

Each case compares everything that the helper may change before and after. TAP on standard output.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import traceback

import dns_ways
import rig as machine
from rig import Failure, GATEWAY, Rig, Skip, difference, sh, snapshot, undo

CASES = []
FULL = ("mtu=1380 address=10.1.2.3/32 route=0.0.0.0/0 exclude=198.51.100.0/24 dns=10.1.0.53 "
        f"domain=corp.example domain=~. gateway={GATEWAY}")
SPLIT = ("mtu=1380 address=10.1.2.3/32 route=10.0.0.0/8 route=172.16.5.0/24 dns=10.1.0.53 "
         f"domain=corp.example gateway={GATEWAY}")


def case(name):
    def register(function):
        CASES.append((name, function))
        return function
    return register


def expect(condition, message):
    if not condition:
        raise Failure(message)


def expect_same(before, after):
    lines = difference(before, after)
    expect(not lines, "not as before:\n" + "\n".join(lines))


def resolv_conf():
    with open("/etc/resolv.conf", encoding="ascii") as file:
        return file.read()


# ---- set up and put back ----

@case("a full tunnel is set up as asked")
def _(rig):
    rig.set_up(FULL)
    expect("not from all fwmark 0xd1a0000/0xffffff00 lookup 53664" in sh("ip rule"), "no rule")
    expect("not from all fwmark" in sh("ip -6 rule"), "no rule for IPv6")
    routes = sh("ip route show table 53664")
    expect("default dev dialtone0" in routes and "throw 198.51.100.0/24" in routes, routes)
    expect("unreachable default" in sh("ip -6 route show table 53664"), "IPv6 can leave")
    expect("dev dialtone0" in sh("ip route get 8.8.8.8"), "traffic goes elsewhere")
    expect("dev up0" in sh("ip route get 8.8.8.8 mark 0x0d1a0000"), "own packets enter the tunnel")
    expect("dev up0" in sh("ip route get 198.51.100.7"), "the excluded network is in the tunnel")
    expect("nameserver 10.1.0.53\nsearch corp.example\n" in resolv_conf(), resolv_conf())
    link = sh("ip -d link show dialtone0")
    expect("mtu 1380" in link and "qlen 2000" in link and "tun type tun" in link, link)
    expect("inet6" not in sh("ip addr show dialtone0"), "the kernel made an IPv6 address up")


@case("a split tunnel leaves all else where it was")
def _(rig):
    rig.set_up(SPLIT)
    expect("dev dialtone0" in sh("ip route get 10.9.9.9"), "10.9.9.9 is not in the tunnel")
    for outside in ("8.8.8.8", "172.16.6.1", "198.51.100.7"):
        expect("dev up0" in sh(f"ip route get {outside}"), f"{outside} is in the tunnel")
    expect("dev up0" in sh("ip route get 2001:db8:5::1"), "IPv6 was touched")


@case("F1: a more specific route that a hostile network pushes does not win")
def _(rig):
    rig.set_up(FULL)
    sh("ip route add 10.9.9.0/25 via 198.51.100.1 dev up0")
    try:
        expect("dev dialtone0" in sh("ip route get 10.9.9.9"), "the pushed route wins")
    finally:
        sh("ip route del 10.9.9.0/25")


# ---- neighbours ----

WIRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "lib", "wire.py")


def neighbour(*words):
    """What somebody on the link of up0 gets for what he sends."""
    return sh(" ".join(["ip netns exec router", sys.executable, WIRE, *words])).strip()


def syn(port="9"):
    with open("/sys/class/net/up0/address", encoding="ascii") as file:
        return neighbour("syn", "up1", file.read().strip(), machine.ROUTER, "10.1.2.3", port)


def with_address_on(link, function):
    """What it says while the machine has the tunnel's address without a tunnel."""
    sh(f"ip addr add 10.1.2.3/32 dev {link}")
    try:
        return function()
    finally:
        sh(f"ip addr del 10.1.2.3/32 dev {link}")


def comes_back(text, command):
    end = time.monotonic() + 1
    while text not in sh(command, check=False):
        expect(time.monotonic() < end, f"{text} is not there within a second")
        time.sleep(0.02)


def protected(rig, plan):
    """A tunnel whose address is protected; that is nothing which who connects waits for."""
    rig.set_up(plan)
    comes_back("chain arriving", "nft list table inet dialtone0")


@case("F3: a packet for the tunnel's address that comes by another link is not answered")
def _(rig):
    expect(with_address_on("lo", syn) == "answered by tcp", "nothing to be prevented here")
    protected(rig, FULL)
    expect(syn() == "silence", "a neighbour learns the tunnel's address")
    rig.do(f"apply {SPLIT}")
    expect(syn() == "silence", "a neighbour learns the tunnel's address of a split tunnel")
    sh("ping -n -c 1 -W 1 10.1.2.3")


@case("F3: an address that another link has as well is reached there still")
def _(rig):
    def reached():
        protected(rig, SPLIT)
        return syn()
    expect(with_address_on("up0", reached) == "answered by tcp", "the machine's own address is cut off")


@case("F4: ARP for the tunnel's address is answered on no link")
def _(rig):
    expect(with_address_on("lo", lambda: neighbour("arp", "up1", "10.1.2.3")) == "answered",
           "nothing to be prevented here")
    protected(rig, FULL)
    expect(neighbour("arp", "up1", "10.1.2.3") == "silence", "a neighbour learns the tunnel's address")
    expect(neighbour("arp", "up1", "198.51.100.2") == "answered", "nobody is answered any more")


# ---- the kill switch ----

ARM = "call SetKillSwitch (@a(ayq) [], [([byte 0, 0, 0, 0], uint32 0)], @a(ayu) [], @a{sv} {})"
CLAIM = "call Claim ('office', {'kill-switch': <true>})"


def without_libnftables(function):
    with open("/run/empty", "w", encoding="ascii"):
        pass
    libraries = sh("ldconfig -p | awk '/libnftables.so.1/ { print $NF }'").split()
    for path in libraries:
        sh(f"mount --bind /run/empty {path}")
    try:
        return function()
    finally:
        for path in libraries:
            sh(f"umount {path}")


@case("E1: odd kill switches are refused and change nothing")
def _(rig):
    rig.refused(ARM, "NotClaimed")
    rig.refused("call ReleaseKillSwitch (true,)", "NotClaimed")
    rig.refused("call Claim ('office', {'kill-switch': <'yes'>})", "InvalidArgument")
    rig.do(CLAIM)
    before = snapshot()
    for odd in ("[([byte 0, 0, 0, 0], uint16 500)], @a(ayu) [], @a(ayu) [], @a{sv} {}",
                "@a(ayq) [], [([byte 10, 0, 0, 1], uint32 8)], @a(ayu) [], @a{sv} {}",
                "@a(ayq) [], @a(ayu) [], [([byte 10], uint32 8)], @a{sv} {}",
                "@a(ayq) [], @a(ayu) [], @a(ayu) [], {'table': <'inet x'>}"):
        rig.refused(f"call SetKillSwitch ({odd})", "InvalidArgument")
    expect_same(before, snapshot())


@case("a kill switch stands until it is released, whatever becomes of the plan")
def _(rig):
    rig.do(CLAIM)
    rig.do(ARM)
    rig.do("tun 1400")
    for step in (f"apply {FULL}", f"apply {SPLIT}", "release", f"apply {FULL}"):
        rig.do(step)
        expect("chain beside" in sh("nft list table inet dialtone0"), f"it is gone after {step}")
    expect("0.0.0.0/0" in sh("nft list table inet dialtone0"), "the plan's network is not protected")
    expect(sh("nft list table inet dialtone0 | grep 198.51.100.0/24").strip().endswith("accept"),
           "the excluded one is")
    rig.do("call ReleaseKillSwitch (true,)")
    expect("chain beside" not in sh("nft list table inet dialtone0"), "it stands on")


def left_behind(rig, end):
    rig.do(CLAIM)
    rig.do(ARM)
    rig.do("tun 1400")
    rig.do(f"apply {FULL}")
    end(rig)
    rig.wait()
    machine.wait_gone(rig.peer)
    expect("chain beside" in sh("nft list table inet dialtone0"), "the kill switch went")


@case("a peer that vanishes leaves its kill switch, and the next connection without one ends it")
def _(rig, program):
    left_behind(rig, lambda r: os.kill(r.peer, signal.SIGKILL))
    other = Rig(program)
    expect("chain beside" in sh("nft list ruleset"), "the start alone ends it")
    other.do("claim home")
    expect("dialtone" not in sh("nft list ruleset"), "it stands on")
    other.kill()


@case("a helper that is killed leaves its kill switch to the next")
def _(rig, program):
    left_behind(rig, lambda r: os.kill(r.helper, signal.SIGKILL))
    other = Rig(program)
    other.do(CLAIM)
    other.do(ARM)
    expect("chain beside" in sh("nft list table inet dialtone0"), "it is not taken over")
    other.do("call ReleaseKillSwitch (true,)")
    other.kill()
    expect("dialtone" not in sh("nft list ruleset"), "it stands on")


@case("a machine without libnftables has a tunnel, and a warning")
def _(rig, program):
    rig.kill()

    def warnings():
        other = Rig(program)
        said = other.set_up(FULL)
        other.kill()
        return said
    said = without_libnftables(warnings)
    expect("firewall-missing: " in said and "not installed" in said, said)


@case("a connection that fails ends its own kill switch, and not one that it found")
def _(rig, program):
    rig.do(CLAIM)
    rig.do(ARM)
    rig.do("call ReleaseKillSwitch (false,)")
    expect("chain beside" not in sh("nft list ruleset"), "its own stands on")
    rig.do(ARM)
    os.kill(rig.helper, signal.SIGKILL)
    rig.wait()
    machine.wait_gone(rig.peer)
    other = Rig(program)
    other.do(CLAIM)
    other.do(ARM)
    other.do("call ReleaseKillSwitch (false,)")
    expect("chain beside" in sh("nft list ruleset"), "what it found is gone")
    other.do("call ReleaseKillSwitch (true,)")
    expect("chain beside" not in sh("nft list ruleset"), "the user's word does not count")
    other.kill()


@case("without libnftables a kill switch is refused with the reason")
def _(rig, program):
    rig.kill()

    def answer():
        other = Rig(program)
        other.do(CLAIM)
        said = other.ask(ARM)
        other.kill()
        return said
    said = without_libnftables(answer)
    expect("Error.System" in said and "not installed" in said, said)
    expect(not [n for n in os.listdir("/run/dialtone") if "firewall" in n], "a record was left")


@case("tables of nftables that somebody removes come back within a second")
def _(rig):
    rig.do(CLAIM)
    rig.do(ARM)
    comes_back("chain beside", "nft list ruleset")
    for removal in ("nft flush ruleset", "nft delete table inet dialtone0",
                    "nft flush chain inet dialtone0 beside", "nft flush table inet dialtone0"):
        sh(removal)
        comes_back("0.0.0.0/0", "nft list table inet dialtone0")
    rig.do("call ReleaseKillSwitch (true,)")
    rig.do("tun 1400")
    rig.do(f"apply {SPLIT}")
    for removal in ("nft flush ruleset", "nft flush table inet dialtone0"):
        sh(removal)
        comes_back("ip daddr 10.1.2.3 drop", "nft list table inet dialtone0")
    comes_back("arp daddr ip 10.1.2.3 drop", "nft list table arp dialtone0")
    rig.do("release")
    sh("nft flush ruleset")
    time.sleep(0.5)
    expect("dialtone" not in sh("nft list ruleset"), "it comes back after Release")


def changes_of_nftables(seconds, meanwhile):
    """The lines of `nft monitor` in this time."""
    monitor = subprocess.Popen(["nft", "monitor"], stdout=subprocess.PIPE, text=True)
    time.sleep(0.2)
    meanwhile()
    time.sleep(seconds)
    monitor.terminate()
    return monitor.communicate()[0].splitlines()


@case("what the helper and others do with nftables is no reason to do more")
def _(rig):
    rig.do(CLAIM)
    rig.do(ARM)
    rig.do("tun 1400")
    rig.do(f"apply {FULL}")
    lines = changes_of_nftables(1, lambda: sh("nft add table inet other; nft delete table inet other"))
    expect(not [line for line in lines if "dialtone" in line], "\n".join(lines))
    once = changes_of_nftables(1, lambda: rig.do(f"apply {SPLIT}"))
    expect(len([line for line in once if line == "add table inet dialtone0"]) <= 2, "\n".join(once))


def time_to_come_back():
    sh("nft delete table inet dialtone0")
    began = time.monotonic()
    while "chain beside" not in sh("nft list table inet dialtone0", check=False):
        expect(time.monotonic() < began + 15, "it does not come back any more")
        time.sleep(0.05)
    return time.monotonic() - began


@case("who removes them again and again is answered ever more slowly, and told of")
def _(rig):
    rig.do(CLAIM)
    rig.do(ARM)
    quick = 0
    while time_to_come_back() < 2:
        quick += 1
        expect(quick < 20, "this has no end")
    expect(quick > 3, f"after {quick} times it was too much already")
    said = rig.line()
    expect("warned network-contested: another program keeps removing the tunnel's table of nftables" in said, said)
    rig.do("call ReleaseKillSwitch (true,)")
    rig.send("exit 0")
    rig.wait()


# ---- ways to end ----

@case("Release puts everything back but the slot and the interface")
def _(rig):
    rig.do("claim office")
    rig.do("tun 1400")
    before = snapshot()
    rig.do(f"apply {FULL}")
    expect(difference(before, snapshot()), "nothing was set up")
    rig.do("release")
    after = [line for line in difference(before, snapshot())
             if "journal" not in line and "mtu" not in line]
    expect(not after, "\n".join(after))
    rig.do(f"apply {FULL}")
    expect("dev dialtone0" in sh("ip route get 8.8.8.8"), "a second Apply does nothing")


def ends_clean(plan, end):
    """A case: set up, end in some way, compare."""
    def run(rig, program):
        rig.kill()
        undo(program)
        before = snapshot()
        rig = Rig(program)
        try:
            rig.set_up(plan)
            expect(difference(before, snapshot()), "nothing was set up")
            end(rig, program)
        finally:
            rig.kill()
        expect_same(before, snapshot())
    return run


def by_exit(rig, program):
    rig.send("exit 9")
    status = rig.wait()
    expect(status == 9, f"exit status {status}: {rig.errors()}")


def by_peer_death(rig, program):
    os.kill(rig.peer, signal.SIGKILL)
    status = rig.wait()
    expect(status == 1, f"exit status {status}: {rig.errors()}")


def by_helper_death(rig, program):
    os.kill(rig.helper, signal.SIGKILL)
    rig.wait()
    machine.wait_gone(rig.peer)
    expect(undo(program) == "undone 1", "nothing was put back")
    expect(undo(program) == "undone 0", "put back twice")


def by_both_deaths(rig, program):
    os.kill(rig.peer, signal.SIGSTOP)
    os.kill(rig.helper, signal.SIGKILL)
    rig.wait()
    # The peer still holds the interface: undo takes it away all the same.
    expect(undo(program) == "undone 1", "nothing was put back")


def by_next_start(rig, program):
    os.kill(rig.helper, signal.SIGKILL)
    rig.wait()
    machine.wait_gone(rig.peer)
    second = Rig(program)
    second.send("exit 0")
    expect(second.wait() == 0, second.errors())


for ending, end_with in (("the peer exits", by_exit), ("the peer is killed", by_peer_death),
                         ("the helper is killed, and --undo runs", by_helper_death),
                         ("the helper is killed while its peer hangs", by_both_deaths),
                         ("the helper is killed, and the next one starts", by_next_start)):
    for kind, wanted in (("full", FULL), ("split", SPLIT)):
        CASES.append((f"all is as before when {ending} ({kind})", ends_clean(wanted, end_with)))


# ---- /etc/resolv.conf of other kinds ----

def with_conf(make, clean=lambda: None):
    """All ways to end, with a resolv.conf of some kind."""
    def run(rig, program):
        rig.kill()
        for end in (by_exit, by_peer_death, by_helper_death):
            make()
            try:
                ends_clean(FULL, end)(Rig(program), program)
            finally:
                clean()
    return run


def make_link():
    os.makedirs("/run/other", exist_ok=True)
    with open("/run/other/resolv.conf", "w", encoding="ascii") as file:
        file.write("nameserver 192.0.2.54\n")
    sh("ln -sfn ../run/other/resolv.conf /etc/resolv.conf")


def make_mount():
    with open("/run/mounted", "w", encoding="ascii") as file:
        file.write("nameserver 192.0.2.55\n")
    os.utime("/run/mounted", ns=(1500000000123456789, 1400000000987654321))
    sh("mount --bind /run/mounted /etc/resolv.conf")


CASES.append(("a symbolic link comes back", with_conf(make_link, machine.write_resolv_conf)))
CASES.append(("a mount point comes back",
              with_conf(make_mount, lambda: sh("umount /etc/resolv.conf"))))


@case("what another program wrote meanwhile stays")
def _(rig, program):
    rig.set_up(FULL)
    machine.write_resolv_conf("nameserver 192.0.2.99\n", anew=False)
    rig.send("exit 0")
    rig.wait()
    expect(resolv_conf() == "nameserver 192.0.2.99\n", resolv_conf())
    expect("before-dialtone" not in sh("ls -A /etc"), "the saved one was left")


@case("after a loss of power /etc/resolv.conf is put back though /run is empty")
def _(rig, program):
    before = resolv_conf()
    rig.set_up(FULL)
    os.kill(rig.helper, signal.SIGKILL)
    rig.wait()
    machine.wait_gone(rig.peer)
    sh("ip rule del pref 30500; ip -6 rule del pref 30500; ip -6 route flush table 53664; "
       "ip route flush table 53664 || true; rm -rf /run/dialtone")
    expect(undo(program) == "undone 1", "nothing was put back")
    expect(resolv_conf() == before, resolv_conf())


# ---- a second Apply ----

def monitor(function):
    """What `ip monitor` saw meanwhile."""
    with open("/run/monitor", "w", encoding="ascii") as file:
        process = subprocess.Popen(["ip", "monitor", "route", "rule", "address"],
                                                 stdout=file)
        time.sleep(0.2)
        function()
        time.sleep(0.2)
        process.terminate()
        process.wait()
    with open("/run/monitor", encoding="ascii") as file:
        return file.read()


@case("the same plan again changes nothing")
def _(rig):
    rig.set_up(FULL)
    seen = monitor(lambda: rig.do(f"apply {FULL}"))
    expect(seen == "", seen)


@case("another plan changes only what differs")
def _(rig):
    rig.set_up(SPLIT)
    other = SPLIT.replace("172.16.5.0/24", "172.16.6.0/24").replace("10.1.2.3/32", "10.1.2.4/32")
    seen = monitor(lambda: rig.do(f"apply {other}"))
    expect("10.0.0.0/8" not in seen, seen)
    expect("Deleted" in seen and "172.16.6.0/24" in seen and "172.16.5.0/24" in seen, seen)
    expect("lookup" not in seen, seen)
    expect("dev dialtone0" in sh("ip route get 172.16.6.1"), "the new network is missing")
    expect("dev up0" in sh("ip route get 172.16.5.1"), "the old network is still there")
    expect("10.1.2.4/32" in sh("ip addr show dialtone0"), "no new address")
    expect("10.1.2.3" not in sh("ip addr show dialtone0"), "the old address is still there")


@case("from full to split and back")
def _(rig):
    rig.set_up(FULL)
    rig.do(f"apply {SPLIT}")
    expect("dev up0" in sh("ip route get 8.8.8.8"), "still full")
    expect("30500" not in sh("ip rule") and "30400" in sh("ip rule"), sh("ip rule"))
    expect("dialtone" not in sh("ip -6 rule") and "53664" not in sh("ip -6 rule"), sh("ip -6 rule"))
    rig.do(f"apply {FULL}")
    expect("dev dialtone0" in sh("ip route get 8.8.8.8"), "not full again")
    expect("30400" not in sh("ip rule"), sh("ip rule"))


@case("a network that moves from carried to excluded is never without a route")
def _(rig):
    rig.set_up(SPLIT)
    rig.do(f"apply {SPLIT} exclude=172.16.5.0/24".replace("route=172.16.5.0/24 ", ""))
    expect("throw 172.16.5.0/24" in sh("ip route show table 53664"), "not excluded")
    expect("dev up0" in sh("ip route get 172.16.5.1"), "still in the tunnel")


@case("no packet of a flow is lost over a hundred plans")
def _(rig):
    rig.set_up(FULL)
    sh("ip netns exec router ping -c 1 -W 1 198.51.100.2")
    lost = 0
    for i in range(100):
        rig.send(f"apply {FULL} route=10.{i}.0.0/16")
        lost += "dev dialtone0" not in sh("ip route get 8.8.8.8")
        answer = rig.line()
        expect(answer.startswith("ok"), answer)
    expect(lost == 0, f"{lost} of 100")


@case("who takes its own routes and rules away, time and again, quarrels with nobody")
def _(rig):
    rig.set_up(FULL)
    for _ in range(6):
        for plan in (SPLIT, FULL):
            rig.do(f"apply {plan}")
            time.sleep(0.3)
    expect("dev dialtone0" in sh("ip route get 8.8.8.8"), "not full at the end")


# ---- others ----

def tunnel_routing():
    return sh("ip rule; ip -6 rule; ip route show table 53664; ip -6 route show table 53664")


@case("rules and routes that somebody removes come back within a second")
def _(rig):
    rig.set_up(FULL)
    wanted = tunnel_routing()
    for removal in ("ip rule del pref 30500", "ip -6 rule del pref 30500",
                    "ip route flush table 53664", "ip -6 route flush table 53664",
                    "ip rule flush; ip rule add pref 32766 lookup main; "
                    "ip rule add pref 32767 lookup default; ip route flush table 53664"):
        sh(removal)
        end = time.monotonic() + 1
        while time.monotonic() < end and tunnel_routing() != wanted:
            time.sleep(0.02)
        lines = difference(wanted, tunnel_routing())
        expect(not lines, f"{removal}: {lines}")
    rig.do("release")
    time.sleep(0.6)
    expect("53664" not in sh("ip rule; ip -6 rule"), "they come back after Release")


@case("routes that come and go in other tables cost the helper nothing")
def _(rig):
    rig.set_up(FULL)
    time.sleep(0.6)
    seen = monitor(lambda: sh("for i in $(seq 50); do ip route add 10.50.$i.0/24 dev up0; "
                              "ip route del 10.50.$i.0/24 dev up0; done"))
    expect("table 53664" not in seen, seen)


FULL_SIZE = os.environ.get("DIALTONE_FULL") == "yes"


@case("killed at any moment of setting up, the network can be put back")
def _(rig, program):
    rig.kill()
    undo(program)
    before = snapshot()
    for i in range(200 if FULL_SIZE else 25):
        rig = Rig(program)
        try:
            for command in ("claim office", "socket 4", "tun 1400", f"apply {FULL}",
                            f"apply {SPLIT}", "release", f"apply {FULL}"):
                rig.send(command)
            # Spread over the time that all of it takes.
            time.sleep((i % 25) * 0.002)
            os.kill(rig.helper, signal.SIGKILL)
            rig.wait()
            machine.wait_gone(rig.peer)
            undo(program)
        finally:
            rig.kill()
        expect_same(before, snapshot())


# ---- refusals ----

@case("E1, E4: odd plans are refused and change nothing")
def _(rig):
    rig.do("claim office")
    rig.refused("claim again", "AlreadyClaimed")
    rig.refused(f"apply {FULL}", "NotClaimed")
    rig.refused("tun 100", "InvalidArgument")
    rig.refused("tun 1400 persist", "InvalidArgument")
    rig.refused("socket 5", "InvalidArgument")
    rig.do("tun 1400")
    before = snapshot()
    for bad in (FULL.replace("mtu=1380", "mtu=0"), FULL.replace("mtu=1380", "mtu=9001"),
                FULL.replace("10.1.2.3/32", "10.1.2.3/0"), FULL.replace("10.1.2.3/32", "0.0.0.0/32"),
                FULL.replace("10.1.2.3/32", "224.0.0.1/32"), FULL.replace("address=10.1.2.3/32 ", ""),
                FULL.replace("10.1.2.3/32", "127.0.0.1/8"), FULL + " route=10.0.0.1/8",
                FULL + " route=127.0.0.0/8", FULL + " route=224.0.0.0/8", FULL + " exclude=10.0.0.1/8",
                FULL + " route=fe80::/64", FULL + " dns=127.0.0.1", FULL + " dns=0.0.0.0",
                FULL + " dns=255.255.255.255", FULL + " domain=a;b", FULL + " domain=.",
                FULL + " domain=-a", FULL + " domain=a..b", FULL + " domain=10.0.0.1",
                FULL.replace(f"gateway={GATEWAY}", ""), FULL + " gateway=nothing",
                FULL + " address=10.1.2.4/32" * 8, FULL + " gateway=192.0.2.1" * 16,
                FULL + " route=10.0.0.0/8" * 1024, FULL + " exclude=10.0.0.0/8" * 257):
        rig.refused(f"apply {bad}", "InvalidArgument")
    expect_same(before, snapshot())
    rig.do(f"apply {FULL}")


@case("nothing is given before a slot was claimed")
def _(rig):
    for command in ("socket 4", "tun 1400", f"apply {FULL}", "release"):
        rig.refused(command, "NotClaimed")
    rig.refused("claim \x1b[31mred", "InvalidArgument")
    rig.refused("claim " + "x" * 129, "InvalidArgument")


@case("a second full tunnel and overlapping networks are refused, with the name of the first")
def _(rig, program):
    rig.set_up(SPLIT)
    second = Rig(program)
    try:
        second.refused("claim office", "InUse")
        expect("slot=1" in second.do("claim second"), "not slot 1")
        second.do("tun 1400")
        before = snapshot()
        for network in ("10.0.0.0/8", "10.5.0.0/16", "172.16.0.0/12"):
            answer = second.refused(f"apply mtu=1400 address=10.200.0.1/32 route={network} "
                                    f"gateway={GATEWAY}", "Conflict")
            expect("office" in answer and "dialtone0" in answer, answer)
        expect_same(before, snapshot())
        second.do("apply mtu=1400 address=10.200.0.1/32 route=192.168.77.0/24 "
                  f"gateway={GATEWAY}")
        second.do(f"apply mtu=1400 address=10.200.0.1/32 route=0.0.0.0/0 gateway={GATEWAY}")
        expect("dev dialtone0" in sh("ip route get 10.5.5.5"), "the split tunnel lost its network")
        expect("dev dialtone1" in sh("ip route get 8.8.8.8"), "the full tunnel does not carry")
        for mark in ("0x0d1a0000", "0x0d1a0001"):
            expect("dev up0" in sh(f"ip route get {GATEWAY} mark {mark}"), "tunnel in a tunnel")
            expect("dev up0" in sh(f"ip route get 10.5.5.5 mark {mark}"), "tunnel in a tunnel")
        rig.refused(f"apply {FULL}", "Conflict")
    finally:
        second.kill()


@case("a tunnel that is just ending is not in the way of the next one of its name")
def _(rig, program):
    rig.set_up(SPLIT)
    os.kill(rig.helper, signal.SIGSTOP)
    os.kill(rig.peer, signal.SIGKILL)
    second = Rig(program)
    resumed = threading.Timer(0.3, os.kill, (rig.helper, signal.SIGCONT))
    resumed.start()
    try:
        expect("slot=" in second.do("claim office"), "refused, though the first was ending")
    finally:
        resumed.join()
        second.kill()


ROUTER = ("ip", "netns", "exec", "router")


@case("tunnels of two network namespaces that share /run do not meet")
def _(rig, program):
    plan = f"mtu=1400 address=10.200.0.1/32 route=0.0.0.0/0 gateway={GATEWAY}"
    rig.set_up(FULL)
    other = Rig(program, ROUTER)
    try:
        there = sh("ip -n router rule; ip -n router -6 rule")
        other.do("claim other")
        other.do("tun 1400")
        other.do(f"apply {plan}")
        expect("53665" in sh("ip -n router rule"), "no rule there")
        os.kill(other.helper, signal.SIGKILL)
        other.wait()
        machine.wait_gone(other.peer)
        expect(undo(program) == "undone 0", "undone from outside")
        expect("53665" in sh("ip -n router rule"), "a rule was removed from outside")
        # Its slot is free here all the same.
        third = Rig(program)
        expect("slot=1" in third.do("claim third"), "not slot 1")
        third.kill()
        expect(undo(program, "ip netns exec router ") == "undone 1", "not undone")
        expect(sh("ip -n router rule; ip -n router -6 rule") == there, "rules were left")
        expect("dev dialtone0" in sh("ip route get 8.8.8.8"), "the first tunnel was touched")
    finally:
        other.kill()


@case("a table or an interface of somebody else is left alone: the next slot is taken")
def _(rig, program):
    rig.kill()
    undo(program)
    sh("ip route add 10.77.0.0/16 via 198.51.100.1 table 53664; ip tuntap add dialtone1 mode tun")
    try:
        before = snapshot()
        second = Rig(program)
        expect("slot=2" in second.do("claim x"), "not slot 2")
        second.do("tun 1400")
        second.do(f"apply {FULL}")
        second.send("exit 0")
        second.wait()
        expect_same(before, snapshot())
    finally:
        sh("ip route flush table 53664; ip link del dialtone1", check=False)


# ---- a hostile peer ----

@case("B13: calls that no generated code would make fail alone")
def _(rig):
    rig.do("claim office")
    for call in ("Claim ()", "Claim (1,)", "Apply ()", "Apply ('x',)", "OpenSocket (4,)",
                 "OpenTun ('1400', {'vnet-hdr': <true>})", "Release (1,)", "Nothing ()",
                 "OpenSocket (uint32 4, {'port': <uint32 500>})",
                 "OpenTun (uint32 1400, {'vnet-hdr': <'yes'>})",
                 "OpenTun (uint32 1400, {'': <true>})", "StopRequested ()"):
        answer = rig.ask(f"call {call}")
        expect(answer.startswith("error org."), f"{call}: {answer}")
    expect(rig.ask("call Release ()") == "ok", "Release is refused")
    rig.do("tun 1400")
    rig.do(f"apply {FULL}")


def by_garbage(rig, program):
    rig.send("garbage 5000")
    status = rig.wait()
    expect(status in (0, 70), f"exit status {status}: {rig.errors()}")


CASES.append(("B13: a peer that sends garbage is cut off, and all is as before",
              ends_clean(FULL, by_garbage)))


@case("a peer that asks for hundreds of sockets gets them, and the helper keeps none")
def _(rig):
    rig.do("claim office")
    for _ in range(300):
        rig.do("socket 4")
    held = len(os.listdir(f"/proc/{rig.helper}/fd"))
    expect(held < 30, f"{held} descriptors are open")


def by_hoarding(rig, program):
    expect(rig.ask("hoard 3000") == "ok", "the helper reads no more")
    time.sleep(2)
    held = len(os.listdir(f"/proc/{rig.helper}/fd"))
    expect(held < 400, f"{held} descriptors are open")
    os.kill(rig.peer, signal.SIGKILL)
    status = rig.wait()
    expect(status == 1, f"exit status {status}: {rig.errors()}")


CASES.append(("B13: a peer that reads no answers can't use up the helper's descriptors",
              ends_clean(FULL, by_hoarding)))


# ---- exit status ----

def exits(agent_status, tunnel_status, wanted):
    def run(rig, program):
        rig.kill()
        undo(program)
        rig = Rig(program, agent=("agent", "1", str(agent_status)))
        try:
            rig.send(f"exit {tunnel_status}")
            status = rig.wait()
            expect(status == wanted, f"{status}, not {wanted}")
        finally:
            rig.kill()
    return run


for of_agent, of_tunnel, of_helper in ((0, 0, 0), (7, 0, 7), (0, 9, 9), (4, 9, 4)):
    CASES.append((f"agent {of_agent}, tunnel {of_tunnel}: exit status {of_helper}",
                  exits(of_agent, of_tunnel, of_helper)))


@case("an agent that ends asks the tunnel to stop")
def _(rig, program):
    rig.kill()
    undo(program)
    rig = Rig(program, agent=("agent", "1", "5"))
    try:
        expect(rig.line() == "signal stop-requested", "no request")
        rig.send("exit 0")
        expect(rig.wait() == 5, "not the agent's status")
    finally:
        rig.kill()


if FULL_SIZE:
    @case("a tunnel and an agent that hang are ended, and all is as before")
    def _(rig, program):
        rig.kill()
        undo(program)
        before = snapshot()
        rig = Rig(program, agent=("agent", "1000", "0"))
        try:
            rig.set_up(FULL)
            rig.send("deaf")
            os.kill(rig.helper, signal.SIGTERM)
            began = time.monotonic()
            expect(rig.wait(45) == 1, "not 1")
            expect(25 < time.monotonic() - began < 40, f"{time.monotonic() - began:.0f} s")
            machine.wait_gone(rig.peer)
        finally:
            rig.kill()
        expect_same(before, snapshot())


# ---- strict rp_filter ----

def set_filter(link, value):
    with open(f"/proc/sys/net/ipv4/conf/{link}/rp_filter", "w", encoding="ascii") as file:
        file.write(str(value))


def echo_from_router(port):
    """A gateway that answers datagrams to this port."""
    code = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
            f"s.bind(('{GATEWAY}', {port}))\n"
            "while True:\n d, a = s.recvfrom(99); s.sendto(b'pong', a)")
    return subprocess.Popen(["ip", "netns", "exec", "router", sys.executable, "-c",
                                           code])


@case("strict rp_filter would cut the gateway off, and is met for it alone")
def _(rig):
    gateways = [echo_from_router(4500), echo_from_router(4501)]
    time.sleep(0.5)
    try:
        set_filter("all", 1)
        warnings = rig.set_up(FULL)
        expect("rp-filter-met" in warnings, f"no warning: {warnings}")
        answer = rig.do(f"send 1 {GATEWAY} 4500")
        expect("got=pong" in answer, answer)
        # The filter is at work: another port's answer is dropped.
        answer = rig.do(f"send 1 {GATEWAY} 4501")
        expect("got=nothing" in answer, "the filter filters nothing, so the case proves nothing")
        expect("dev dialtone0" in sh(f"ip route get {GATEWAY} ipproto 17 dport 4500 sport 9"),
               "others reach the gateway beside the tunnel")
        expect("dev dialtone0" in sh(f"ip route get {GATEWAY}"), "others reach the gateway")
    finally:
        set_filter("all", 0)
        for gateway in gateways:
            gateway.kill()
            gateway.wait()


@case("without strict rp_filter no rule is made for it")
def _(rig):
    warnings = rig.set_up(FULL)
    expect("rp-filter" not in warnings, warnings)
    expect("30300" not in sh("ip rule"), sh("ip rule"))


@case("the rules for strict rp_filter go too when the helper is killed")
def _(rig, program):
    rig.kill()
    set_filter("all", 1)
    try:
        ends_clean(FULL, by_helper_death)(Rig(program), program)
        ends_clean(FULL, by_exit)(Rig(program), program)
    finally:
        set_filter("all", 0)


# ---- ESP without UDP ----

@case("a raw socket for ESP is handed over once a family, marked, and before the first plan")
def _(rig):
    rig.refused("socket 4 esp", "NotClaimed")
    rig.do("claim office")
    for family in ("4", "6"):
        answer = rig.do(f"socket {family} esp")
        expect("port=0 mark=0xd1a0000" in answer and "protocol=50" in answer, answer)
        rig.refused(f"socket {family} esp", "NotPermitted")
    rig.refused("socket 5 esp", "InvalidArgument")
    rig.refused("socket 4 udp", "InvalidArgument")


@case("raw sockets that nobody has asked for are gone with the first plan")
def _(rig):
    def raw():
        links = [os.readlink(f"/proc/{rig.helper}/fd/{fd}") for fd in os.listdir(f"/proc/{rig.helper}/fd")]
        held = sh(f"awk 'NR > 1 {{print $10}}' /proc/{rig.helper}/net/raw /proc/{rig.helper}/net/raw6").split()
        return [name for name in links if name.startswith("socket:[") and name[8:-1] in held]

    rig.do("claim office")
    expect(len(raw()) == 2, f"it holds {raw()}")
    rig.do("tun 1400")
    rig.do(f"apply {FULL}")
    expect(not raw(), f"it still holds {raw()}")
    rig.refused("socket 4 esp", "NotPermitted")


@case("strict rp_filter: a rule lets ESP of the gateway in, where the tunnel has a raw socket")
def _(rig):
    set_filter("all", 1)
    try:
        rig.do("claim office")
        rig.do("socket 4 esp")
        rig.do("tun 1400")
        rig.do(f"apply {FULL}")
        expect(f"to {GATEWAY} ipproto " in sh("ip rule"), sh("ip rule"))
    finally:
        set_filter("all", 0)


# ---- IPv6 beside a full tunnel ----

@case("F7: IPv6 that leaves beside a full tunnel is told")
def _(rig):
    expect("ipv6-not-blocked" not in rig.set_up(FULL), "it is told though it is blocked")
    rig.do("release")
    sh("ip -6 rule add priority 1 lookup main")
    try:
        warnings = rig.do(f"apply {FULL}")
        expect("ipv6-not-blocked: IPv6 leaves by up0" in warnings, warnings)
        rig.do("release")
        warnings = rig.do(f"apply {FULL} exclude=2000::/3")
        expect("ipv6-not-blocked" not in warnings, f"told of what was asked for: {warnings}")
    finally:
        sh("ip -6 rule del priority 1 lookup main")


# ---- the process ----

@case("the helper keeps CAP_NET_ADMIN alone, and no descriptor that it gave away")
def _(rig):
    rig.set_up(FULL)
    with open(f"/proc/{rig.helper}/status", encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    for name in ("CapPrm", "CapEff", "CapBnd"):
        expect(int(status[name], 16) == 1 << 12, f"{name} is {status[name]}")
    for name in ("CapInh", "CapAmb"):
        expect(int(status[name], 16) == 0, f"{name} is {status[name]}")
    expect(status["NoNewPrivs"] == "1", "it can gain privileges")
    links = [os.readlink(f"/proc/{rig.helper}/fd/{fd}") for fd in os.listdir(f"/proc/{rig.helper}/fd")]
    expect(not [name for name in links if "tun" in name or ".state" in name], str(links))
    udp = sh(f"grep -l . /proc/{rig.helper}/net/udp; awk '{{print $10}}' /proc/{rig.helper}/net/udp")
    held = [name for name in links if name.startswith("socket:[") and name[8:-1] in udp]
    expect(not held, f"it keeps UDP sockets: {held}")


def hears(pid, number):
    """Whether a process catches a signal, which would end it otherwise."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        caught = next(line for line in file if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (number - 1) & 1


@case("asked to stop before the tunnel has greeted: it is told when it does")
def _(rig, program):
    late = Rig(program, silent=True)
    try:
        end = time.monotonic() + machine.WAIT
        while not hears(late.helper, signal.SIGTERM):
            expect(time.monotonic() < end, "the helper hears no signal")
            time.sleep(0.01)
        os.kill(late.helper, signal.SIGTERM)
        late.send("greet")
        expect(late.line().startswith("ready "), "no greeting")
        expect(late.line() == "signal stop-requested", "no request to stop")
    finally:
        late.kill()


@case("signals become requests: stop once, renegotiate each time")
def _(rig):
    rig.set_up(FULL)
    os.kill(rig.helper, signal.SIGHUP)
    expect(rig.line() == "signal renegotiate-requested", "no request")
    os.kill(rig.helper, signal.SIGHUP)
    expect(rig.line() == "signal renegotiate-requested", "no second request")
    os.kill(rig.helper, signal.SIGTERM)
    expect(rig.line() == "signal stop-requested", "no request to stop")
    os.kill(rig.helper, signal.SIGINT)
    os.kill(rig.helper, signal.SIGTERM)
    os.kill(rig.helper, signal.SIGHUP)
    expect(rig.line() == "signal renegotiate-requested", "asked to stop twice")
    rig.send("exit 0")
    expect(rig.wait() == 0, "not 0")


@case("the state file is the calling user's, and gone at the end")
def _(rig):
    rig.do("claim office")
    status = os.stat("/run/dialtone/0.state")
    expect(status.st_uid == 1000 and status.st_mode & 0o777 == 0o600, oct(status.st_mode))
    expect(os.stat("/run/dialtone/0.slot").st_mode & 0o777 == 0o644, "0.slot")
    rig.send("exit 0")
    rig.wait()
    expect(not os.path.exists("/run/dialtone/0.state"), "0.state was left")


@case("a network that is connected here and carried there is named")
def _(rig):
    warnings = rig.set_up(SPLIT + " route=198.51.0.0/16")
    expect("local-network-covered: the network 198.51.100.0/24 of up0" in warnings, warnings)


@case("F2: what a gateway leaves to the user's own network is private, and stays while its link does")
def _(rig):
    sh("ip link add lan0 type veth peer name lan1; ip addr add 192.168.77.2/24 dev lan0; "
       "ip link set lan0 up; ip link set lan1 up")
    try:
        rig.set_up(FULL + " local=0.0.0.0/0 local=203.0.113.0/24")
        expect("dev lan0" in sh("ip route get 192.168.77.9"), "not beside the tunnel")
        expect("dev dialtone0" in sh("ip route get 192.168.78.9"), "beside the tunnel")
        expect("dev dialtone0" in sh("ip route get 203.0.113.9"), "beside the tunnel")
        # Into another network, and somebody takes a rule away, so that ours are set once more.
        sh("ip addr del 192.168.77.2/24 dev lan0; ip addr add 192.168.79.2/24 dev lan0")
        sh("ip rule add priority 4711 table 4711; ip rule del priority 4711")
        time.sleep(1)
        expect("dev dialtone0" in sh("ip route get 192.168.77.9"), "back in another network")
    finally:
        sh("ip link del lan0")
    expect("dev dialtone0" in sh("ip route get 192.168.77.9"), "beside the tunnel, without its link")


@case("F2: what a DHCP server sets as on the link is no network of the user's (RFC 3442)")
def _(rig):
    sh("ip link add lan0 type veth peer name lan1; ip addr add 192.168.77.2/24 dev lan0; "
       "ip link set lan0 up; ip link set lan1 up; ip route add 172.20.0.0/16 dev lan0; "
       "ip route add 192.168.78.0/24 dev lan0 src 192.168.77.2")
    try:
        rig.set_up(FULL + " local=0.0.0.0/0 local=172.20.5.0/24")
        expect("dev lan0" in sh("ip route get 192.168.77.9"), "not beside the tunnel")
        for host in "172.20.5.9", "192.168.78.9":
            expect("dev dialtone0" in sh(f"ip route get {host}"), f"{host} beside the tunnel")
    finally:
        sh("ip link del lan0")


@case("without IPv6 a full tunnel works as well")
def _(rig):
    sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
    try:
        rig.set_up(FULL)
        expect("dev dialtone0" in sh("ip route get 8.8.8.8"), "no route")
    finally:
        sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ip -6 addr add 2001:db8:1::2/64 dev up0 "
           "nodad; ip -6 route replace default via 2001:db8:1::1")


HELPERS = (expect, Rig, undo, machine.wait_gone, snapshot, expect_same)
dns_ways.register(case, (FULL, SPLIT), HELPERS)
dns_ways.register_slow_resolvconf(case, FULL, HELPERS)


# ---- running ----

def run_case(program, function):
    machine.write_resolv_conf()
    rig = Rig(program)
    try:
        function(*(rig, program)[:function.__code__.co_argcount])
    finally:
        rig.kill()
        undo(program)


def main():
    machine.enter()
    machine.prepare()
    program, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    chosen = [c for c in CASES if not wanted or any(part in c[0] for part in wanted)]
    failed = 0
    print(f"1..{len(chosen)}")
    for number, (name, function) in enumerate(chosen, 1):
        try:
            run_case(program, function)
            print(f"ok {number} - {name}")
        except Skip as why:
            print(f"ok {number} - {name} # skip {why}")
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}")
            text = str(error) if isinstance(error, Failure) else traceback.format_exc()
            print("\n".join("# " + line for line in text.splitlines()))
        sys.stdout.flush()
    sys.exit(failed > 0)


main()
