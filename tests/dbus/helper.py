#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 300 s
"""The helper on the system bus: who may call it, and what is left when somebody dies.

up0 is the machine's own network; everything that a helper may change is compared before and after.
"""

import os
import random
import signal
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "netns", "helper")]
# pylint: disable=wrong-import-position
import rig as machine
from bus import Bus, BusError, Caller, GLib, Gio, call, connect_peer, connection, send_random, slots_are_free
from cases import FULL, case, main
from lab import expect, wait_until

NAME = "org.dialtone.Helper1"
MANAGER = (NAME, "/org/dialtone/HelperManager1", "org.dialtone.HelperManager1")
HELPER = (None, "/org/dialtone/Helper1", "org.dialtone.Helper1")
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
APPLY = "(ua(ayu)a(ayu)a(ayu)aaya(sb)aaya{sv})"
OWNER, STRANGER = 61001, 61002
RELEASE = ("ReleaseKillSwitch", "(sa{sv})")


# ---- what the service does ----
def open_tunnel(owner=OWNER, group=OWNER):
    """A private connection to a helper of its own."""
    return connect_peer(call(*MANAGER, "Open", "(uua{sv})", owner, group, {})[0])


def ask(peer, method, signature="()", *arguments):
    return call(*HELPER, method, signature, *arguments, through=peer)


def full_tunnel(label, owner=OWNER):
    """Everything that a tunnel has: slot, TUN, addresses, routes, rules, DNS. Its TUN stays open."""
    peer = open_tunnel(owner, owner)
    slot, interface = ask(peer, "Claim", "(sa{sv})", label, {})[:2]
    tun = ask(peer, "OpenTun", "(ua{sv})", 1400, {})[0]
    route = ([10, 77, slot, 0], 24) if label != "full" else ([0, 0, 0, 0], 0)
    ask(peer, "Apply", APPLY, 1380, [([10, 1, 2, 3 + slot], 32)], [route], [], [[10, 1, 0, 53]],
        [("corp.example", False)], [[203, 0, 113, 1]], {})
    return peer, interface, tun


def serve(labels=("full",), owner=OWNER):
    """The life of a service: sets tunnels up, says their interfaces, and waits for its end."""
    def run(say):
        tunnels = [full_tunnel(label, owner) for label in labels]
        # Their addresses are protected a moment later; what is compared from here on has that.
        time.sleep(0.5)
        say([interface for _, interface, _ in tunnels])
        time.sleep(300)
    return run


def processes(word=""):
    """The helpers, by their command lines."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                argv = file.read().split("\0")
        except OSError:
            continue
        if "dialtone-helper" in os.path.basename(argv[0]) and word in argv[1:] + [""]:
            found[int(pid)] = argv
    return found


def manager(bus):
    return bus.owner_pid(NAME)


def until_same(before, seconds=10):
    wait_until(lambda: not machine.difference(before, machine.snapshot()), seconds,
               "all is as before, but for\n" + "\n".join(machine.difference(before, machine.snapshot())), 0.05)


def helper_case(name, seconds=30, idle=None):
    """A case with a bus of its own on a machine whose network is as at first."""
    def register(function):
        def run():
            with Bus() as bus:
                if idle:
                    bus.activate(NAME, "root", f"{bus.build}/platform/dialtone-helper --idle {idle}")
                before = machine.snapshot()
                try:
                    function(bus, before)
                finally:
                    for pid in processes():
                        os.kill(pid, signal.SIGKILL)
                    wait_until(lambda: not processes(), 5, "all helpers are gone")
                    machine.sh(f"{bus.build}/platform/dialtone-helper --undo; rm -rf /run/dialtone")
        case(name, seconds, lab=False)(run)
        return function
    return register


# ---- who may ----
@helper_case("E8: nobody but the service reaches the helper, and nobody else's call starts it")
def _(bus, before):
    for uid in (bus.people["alice"], 0):
        for method, signature, arguments in (("Open", "(uua{sv})", (OWNER, OWNER, {})), ("Nothing", "()", ()),
                                             (*RELEASE, ("office", {}))):
            try:
                bus.as_user(uid, lambda m=method, s=signature, a=arguments: call(*MANAGER, m, s, *a))
                expect(False, f"uid {uid} reached {method}")
            except BusError as error:
                expect(error.name == DENIED, f"uid {uid}: {error}")
    expect(not processes(), f"it was started: {processes()}")


@helper_case("E8: a caller that the bus would let through is refused by the helper itself")
def _(bus, before):
    with open("/usr/share/dbus-1/system.d/zz-lax.conf", "w", encoding="ascii") as file:
        file.write('<busconfig><policy context="mandatory">'
                   f'<allow send_destination="{NAME}"/></policy></busconfig>')
    bus.reload()
    try:
        for uid in (bus.people["alice"], 0):
            for owner in (uid, OWNER):
                try:
                    bus.as_user(uid, lambda o=owner: open_tunnel(o, o))
                    expect(False, f"uid {uid} was let in")
                except BusError as error:
                    expect(error.name == f"{NAME}.Error.NotPermitted", f"uid {uid}: {error}")
            try:
                bus.as_user(uid, lambda: call(*MANAGER, *RELEASE, "office", {}))
                expect(False, f"uid {uid} may release")
            except BusError as error:
                expect(error.name == f"{NAME}.Error.NotPermitted", f"uid {uid}: {error}")
    finally:
        os.unlink("/usr/share/dbus-1/system.d/zz-lax.conf")
    expect(manager(bus) and not processes("--tunnel"), f"{processes()}")


@helper_case("only root may be the helper on the bus, and only the service the service")
def _(bus, before):
    for uid, name, allowed in ((bus.service, NAME, False), (bus.people["alice"], NAME, False), (0, NAME, True),
                               (bus.people["alice"], "org.dialtone.Dialtone1", False),
                               (0, "org.dialtone.Dialtone1", False), (bus.service, "org.dialtone.Dialtone1", True)):
        try:
            bus.as_user(uid, lambda n=name: call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                                 "org.freedesktop.DBus", "RequestName", "(su)", n, 4))
            expect(allowed, f"uid {uid} may own {name}")
        except BusError as error:
            expect(not allowed and error.name == DENIED, f"uid {uid}, {name}: {error}")


# ---- what it takes ----
@helper_case("calls of wrong types and with unknown options fail alone")
def _(bus, before):
    wrong = (("Open", "()", ()), ("Open", "(u)", (1,)), ("Open", "(iia{sv})", (1, 1, {})),
             ("Open", "(uua{ss})", (1, 1, {})), ("Open", "(uus)", (1, 1, "x")), ("Close", "()", ()),
             ("Open", "(uua{sv})", (OWNER, OWNER, {"root": GLib.Variant("b", True)})),
             ("Open", "(uua{sv})", (0xffffffff, OWNER, {})), ("Open", "(uua{sv})", (OWNER, 0xffffffff, {})),
             ("ReleaseKillSwitch", "()", ()), (*RELEASE, ("", {})), (*RELEASE, ("x" * 129, {})),
             (*RELEASE, ("office", {"root": GLib.Variant("b", True)})),
             (*RELEASE, ("office", {"owner": GLib.Variant("s", "root")})),
             (*RELEASE, ("office", {"owner": GLib.Variant("u", 0xffffffff)})),
             (*RELEASE, ("office", {"owner": GLib.Variant("u", OWNER), "x": GLib.Variant("u", OWNER)})))

    def run(say):
        for method, signature, arguments in wrong:
            try:
                say(("taken", method, arguments, call(*MANAGER, method, signature, *arguments)))
            except BusError as error:
                say(error.name)
        peer = open_tunnel()
        say(ask(peer, "Claim", "(sa{sv})", "office", {})[1])
        time.sleep(60)

    caller = Caller(bus.service, run)
    for method, signature, arguments in wrong:
        answer = caller.hear()
        expect(str(answer).startswith(("org.freedesktop.DBus.Error.", f"{NAME}.Error.InvalidArgument")),
               f"{method}{signature} {arguments}: {answer}")
    expect(caller.hear() == "dialtone0", "no tunnel afterwards")
    expect(len(processes("--tunnel")) == 1, f"{processes()}")
    caller.kill()


@helper_case("E7: 10,000 random messages change nothing, and the next call is answered")
def _(bus, before):
    def run(say):
        dice = random.Random(20)
        first = open_tunnel()
        say(ask(first, "Claim", "(sa{sv})", "office", {})[1])
        for number in range(10000):
            path = dice.choice([MANAGER[1], MANAGER[1], "/", "/org/dialtone/Helper1"])
            member = dice.choice(["Open", "Open", "Claim", "Apply", "ReleaseKillSwitch", "A" * dice.randint(1, 200)])
            send_random(dice, (NAME, path, MANAGER[2], member), waits=number % 50 == 0)
        second = open_tunnel()
        say(ask(second, "Claim", "(sa{sv})", "more", {})[1])
        time.sleep(60)

    caller = Caller(bus.service, run)
    expect(caller.hear() == "dialtone0", "no tunnel")
    pid, helpers = manager(bus), set(processes("--tunnel"))
    expect(caller.hear() == "dialtone1", "no tunnel afterwards")
    expect(manager(bus) == pid, "the helper was ended")
    expect(helpers < set(processes("--tunnel")) and len(processes("--tunnel")) == 2, f"{processes()}")
    caller.kill()
    until_same(before)


@helper_case("as many tunnels as there are slots, and one more when one has ended", 60)
def _(bus, before):
    def run(say):
        peers = [open_tunnel() for _ in range(64)]
        say([ask(peer, "Claim", "(sa{sv})", f"tunnel {i}", {})[0] for i, peer in enumerate(peers)])
        try:
            say(f"{open_tunnel()}")
        except BusError as error:
            say(error.name)
        peers[7].close_sync(None)
        say(len(peers))
        time.sleep(1)
        say(ask(open_tunnel(), "Claim", "(sa{sv})", "one more", {})[0])

    caller = Caller(bus.service, run)
    expect(sorted(caller.hear()) == list(range(64)), "not all slots")
    answer = caller.hear()
    expect(answer == f"{NAME}.Error.NoSlot", answer)
    held = os.listdir(f"/proc/{manager(bus)}/fd")
    # Of each tunnel its process's descriptor, to know of its end.
    expect(len(held) < 64 + 16, f"{len(held)} descriptors are open")
    caller.hear()
    expect(caller.hear() == 7, "the slot that is free was not given")
    caller.kill()
    until_same(before)


# ---- what it is ----
def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)


@helper_case("the manager has what a helper starts with, the helper of a tunnel CAP_NET_ADMIN alone")
def _(bus, before):
    caller = Caller(bus.service, serve())
    caller.hear()
    (tunnel,) = processes("--tunnel")
    for pid, caps in ((manager(bus), {0, 8, 12, 13}), (tunnel, {12})):
        wanted = sum(1 << cap for cap in caps)
        for name in ("CapPrm", "CapEff", "CapBnd"):
            expect(int(status(pid)[name], 16) == wanted, f"{pid}: {name} is {status(pid)[name]}")
        expect(int(status(pid)["CapInh"], 16) == int(status(pid)["CapAmb"], 16) == 0, "some are inherited")
        expect(status(pid)["NoNewPrivs"] == "1", f"{pid} can gain privileges")
    links = [os.readlink(f"/proc/{manager(bus)}/fd/{fd}") for fd in os.listdir(f"/proc/{manager(bus)}/fd")]
    expect(sum(link.startswith("socket:") for link in links) == 1, f"more than the bus: {links}")
    expect(os.stat("/run/dialtone/0.state").st_uid == OWNER, "the state file is not the owner's")
    caller.kill()
    until_same(before)


# ---- the end ----
@helper_case("a service that is killed leaves nothing, of none of its tunnels")
def _(bus, before):
    caller = Caller(bus.service, serve(("full", "a", "b")))
    expect(caller.hear() == ["dialtone0", "dialtone1", "dialtone2"], "other interfaces")
    expect(machine.difference(before, machine.snapshot()), "nothing was set up")
    caller.kill()
    until_same(before)
    wait_until(lambda: not processes("--tunnel"), 5, "the helpers of its tunnels are gone")


def guard(owner, options):
    """The life of a service whose one tunnel has a kill switch."""
    def run(say):
        peer = open_tunnel(owner, owner)
        interface = ask(peer, "Claim", "(sa{sv})", "full", {"kill-switch": GLib.Variant("b", True)})[1]
        ask(peer, "SetKillSwitch", "(a(ayq)a(ayu)a(ayu)a{sv})", [], [([0, 0, 0, 0], 0)], [], options)
        say(interface)
        time.sleep(300)
    return run


guarded = guard(OWNER, {})


def until_gone():
    """A process that ends has no command line any more while it still holds its slot."""
    wait_until(lambda: not processes("--tunnel"), 5, "the helper is gone")
    wait_until(slots_are_free, 5, "its slot is free")


def leave_guarded(bus, owner=OWNER, persistent=False):
    """A kill switch that a tunnel of that user's has left behind; where it stands."""
    caller = Caller(bus.service, guard(owner, {"persistent": GLib.Variant("b", True)} if persistent else {}))
    interface = caller.hear()
    caller.kill()
    until_gone()
    expect(is_shut(interface), "it went with its tunnel")
    return interface


def is_shut(interface=""):
    return "chain beside" in machine.sh(f"nft list table inet {interface} 2>&1; true" if interface else
                                        "nft list ruleset")


@helper_case("a kill switch outlasts the service, the helper, the manager and --undo, until the next tunnel")
def _(bus, before):
    for victims in (lambda c: c.kill(), lambda c: [os.kill(p, signal.SIGKILL) for p in processes("--tunnel")],
                    lambda c: [os.kill(p, signal.SIGKILL) for p in processes()]):
        caller = Caller(bus.service, guarded)
        caller.hear()
        expect(is_shut(), "there is none")
        victims(caller)
        until_gone()
        caller.kill()
        machine.sh(f"{bus.build}/platform/dialtone-helper --undo")
        expect(is_shut(), "it went")
    other = Caller(bus.service, serve(("full",)))
    other.hear()
    expect(not is_shut(), "it stands on")
    other.kill()
    until_same(before)


def release(bus, label, **options):
    options = {name: GLib.Variant("u", value) for name, value in options.items()}
    bus.as_user(bus.service, lambda: call(*MANAGER, *RELEASE, label, options))


@helper_case("another user's tunnel opens no kill switch that was left, with one of its own neither")
def _(bus, before):
    left = leave_guarded(bus)
    for life in (serve(("full",), STRANGER), serve(("mine",), STRANGER), guard(STRANGER, {})):
        stranger = Caller(bus.service, life)
        expect(stranger.hear() not in (left, [left]), "it has the slot that is shut")
        expect(is_shut(left), "a stranger's tunnel opens it")
        stranger.kill()
        until_gone()
    expect(is_shut(left), "a stranger's tunnel opens it when it ends")
    owner = Caller(bus.service, serve(("another",)))
    owner.hear()
    expect(not is_shut(left), "its own user's tunnel opens it not")
    expect(is_shut(), "it opens a stranger's")
    owner.kill()
    until_gone()
    release(bus, "full")
    expect(not is_shut(), "the stranger's stands on")


@helper_case("a kill switch that was left is released by its user's word, one that persists by root's alone")
def _(bus, before):
    left = leave_guarded(bus)
    for label, options in (("full", {"owner": STRANGER}), ("full", {"owner": 0}), ("other", {}), ("--undo", {}),
                           ("ful", {"owner": OWNER})):
        release(bus, label, **options)
        expect(is_shut(left), f"{label} {options} opens it")
    release(bus, "full", owner=OWNER)
    expect(not is_shut(left), "its user's word does not count")
    left = leave_guarded(bus, persistent=True)
    release(bus, "full", owner=OWNER)
    expect(is_shut(left), "its user's word opens one that persists")
    release(bus, "full")
    expect(not is_shut(left), "root's word does not count")
    held = Caller(bus.service, guarded)
    interface = held.hear()
    release(bus, "full")
    expect(is_shut(interface), "what a tunnel holds is open")
    held.kill()
    until_gone()
    release(bus, "full")
    expect(not is_shut(), "it stands on")


@helper_case("a helper that is killed is put back at once, and no other tunnel is touched")
def _(bus, before):
    caller = Caller(bus.service, serve(("a",)))
    caller.hear()
    with_a = machine.snapshot()
    (helper_of_a,) = processes("--tunnel")
    second = Caller(bus.service, serve(("full",)))
    second.hear()
    (helper_of_b,) = set(processes("--tunnel")) - {helper_of_a}
    os.kill(helper_of_b, signal.SIGKILL)
    # Its service still holds the TUN open.
    until_same(with_a)
    expect(set(processes("--tunnel")) == {helper_of_a}, f"{processes()}")
    third = Caller(bus.service, serve(("full",)))
    expect(third.hear() == ["dialtone1"], "the slot was not given back")
    for one in (caller, second, third):
        one.kill()
    until_same(before)


@helper_case("a manager that is killed takes no tunnel along, and the next one serves beside it")
def _(bus, before):
    caller = Caller(bus.service, serve(("a",)))
    caller.hear()
    with_a = machine.snapshot()
    os.kill(manager(bus), signal.SIGKILL)
    wait_until(lambda: not manager(bus), 5, "the manager is gone")
    second = Caller(bus.service, serve(("full",)))
    expect(second.hear() == ["dialtone1"], "no second tunnel")
    second.kill()
    until_same(with_a)
    caller.kill()
    until_same(before)


def kill_all(bus):
    """As by the kernel for want of memory, or a fault of them all."""
    for pid in (manager(bus), *processes("--tunnel")):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes(), 5, "all helpers are gone")


@helper_case("when all helpers were killed, the next start puts everything back")
def _(bus, before):
    caller = Caller(bus.service, serve(("full", "a")))
    caller.hear()
    kill_all(bus)
    expect(machine.difference(before, machine.snapshot()), "it was put back by nobody")
    bus.ask_bus("StartServiceByName", "(su)", NAME, 0)
    until_same(before)
    caller.kill()


@helper_case("when all helpers were killed, --undo puts everything back")
def _(bus, before):
    caller = Caller(bus.service, serve(("full", "a")))
    caller.hear()
    kill_all(bus)
    machine.sh(f"{bus.build}/platform/dialtone-helper --undo")
    until_same(before, 0)
    caller.kill()


def leave_the_bus(say):
    """Has the peer still, as if it had given it to another process, but is on the bus no more."""
    peer, _, tun = full_tunnel("full")
    requests = []
    peer.signal_subscribe(None, HELPER[2], "StopRequested", None, None, Gio.DBusSignalFlags.NONE,
                          lambda *_: requests.append(time.monotonic()))
    say(tun)
    connection().close_sync(None)
    loop, end = GLib.MainContext.default(), time.monotonic() + 60
    while not requests and time.monotonic() < end:
        loop.iteration(False)
        time.sleep(0.01)
    say(len(requests))
    while not peer.is_closed() and time.monotonic() < end:
        loop.iteration(False)
        time.sleep(0.01)
    say(time.monotonic() - requests[0])


@helper_case("the tunnels of a caller that leaves the bus are asked to stop")
def _(bus, before):
    caller = Caller(bus.service, leave_the_bus)
    caller.hear()
    expect(caller.hear() == 1, "StopRequested did not come once")
    caller.kill()
    until_same(before)


if FULL:
    @helper_case("a tunnel that does not stop when it is asked to is undone after 20 s", 60)
    def _(bus, before):
        caller = Caller(bus.service, leave_the_bus)
        caller.hear()
        caller.hear()
        took = caller.hear(40)
        expect(18 < took < 25, f"after {took:.1f} s")
        until_same(before)
        caller.kill()

    @helper_case("it ends half a minute after its last tunnel", 60)
    def _(bus, before):
        bus.ask_bus("StartServiceByName", "(su)", NAME, 0)
        began = time.monotonic()
        wait_until(lambda: not processes(), 45, "it ended")
        expect(time.monotonic() - began > 28, f"after {time.monotonic() - began:.1f} s")


@helper_case("it ends when it is idle, not before, and is started again by the next call", idle=1)
def _(bus, before):
    caller = Caller(bus.service, serve(("a",)))
    caller.hear()
    first = manager(bus)
    time.sleep(2.5)
    expect(manager(bus) == first, "it ended though it had a tunnel")
    caller.kill()
    wait_until(lambda: not processes(), 5, "it ended")
    until_same(before)
    second = Caller(bus.service, serve(("a",)))
    second.hear()
    expect(manager(bus) != first, "the same process")
    second.kill()


@helper_case("no call is lost that arrives while it ends", 110, idle=1)
def _(bus, before):
    def run(say):
        for i in range(64 if FULL else 8):
            peer = open_tunnel()
            ask(peer, "Claim", "(sa{sv})", "office", {})
            peer.close_sync(None)
            # Around the moment at which it ends.
            time.sleep(1 + (i % 8 - 4) * 0.004)
        say("done")

    caller = Caller(bus.service, run)
    expect(caller.hear(100 if FULL else 50) == "done", "a call was lost")
    caller.kill()


if __name__ == "__main__":
    if sys.argv[1:] != ["--conversations"]:
        expect(os.uname().nodename == "sandbox", "run this in tests/lib/sandbox")
        os.makedirs("/run/netns", exist_ok=True)
        machine.add_links()
        machine.write_resolv_conf()
    main()
