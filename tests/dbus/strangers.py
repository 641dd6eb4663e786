#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 150 s, full: 150 s
"""What a user of the machine may try on the service to get at what others have, or to be in their way."""

import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import SOCKET, BusError, Caller, Gio, GLib, call, connection  # noqa: E402
from cases import main  # noqa: E402
from client import check_connected, profile, profile_text, secrets_text  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from service_kit import (CONNECTION, MANAGER, NAME, PROFILE, TOP, objects, service_case, system_profile,  # noqa: E402
                         system_secret)

AGENT = Gio.DBusNodeInfo.new_for_xml("""<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
  <method name="BeginAuthentication"><arg type="s"/><arg type="s"/><arg type="s"/><arg type="a{ss}"/><arg type="s"/>
    <arg type="a(sa{sv})"/></method>
</interface></node>""")
UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
POLKIT, AUTHORITY = "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority"

def send(path, interface, method, signature="()", *arguments):
    """A call that nobody waits for."""
    connection().call(NAME, path, interface, method, GLib.Variant(signature, arguments), None, Gio.DBusCallFlags.NONE,
                      -1, None, None)


def log(bus):
    """What root reads."""
    return [line[2] for line in
            bus.as_user(0, lambda: call(NAME, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 2000))[0]]


def stat_of(pid):
    """Its state, its parent and so on; empty: it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def states(bus):
    return {c["Name"]: c["State"] for c in objects(bus, CONNECTION).values()}


@service_case("secrets that were given for one profile are given to no other that waits for some")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    alice.dialtone("connect", "--no-wait", "Corp")
    wait_until(lambda: states(bus) == {"Corp": "needs-secrets"}, 10, f"a secret is wanted: {states(bus)}")
    events = alice.connect(code=0)
    expect({event["profile"] for event in events} == {"Office"}, f"it speaks of others: {events}")
    check_connected(events[-1])
    expect(states(bus) == {"Corp": "needs-secrets", "Office": "connected"}, f"{states(bus)}")
    alice.dialtone("disconnect", "--all")


@service_case("who asked to take a connection over when nobody had it takes over none that came meanwhile")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    bob.dialtone("list")
    bus.ask_bus("StartServiceByName", "(su)", POLKIT, 0)
    wait_until(lambda: objects(bus, PROFILE), 5, "the profile is there")
    corp, = objects(bus, PROFILE)

    def take_over(say):
        send(corp, PROFILE, "Connect", "(a{sv})", {"take-over": GLib.Variant("b", True)})
        # Calls of one sender are looked at in their order, so polkit is asked by now.
        call(NAME, corp, PROFILE, "GetText")
        say("asked")
        signal.pause()

    # polkit takes its time to say that bob may connect; root needs no polkit.
    polkit = bus.owner_pid(POLKIT)
    os.kill(polkit, signal.SIGSTOP)
    caller = Caller(bob.uid, take_over)
    try:
        caller.hear()
        bus.as_user(0, lambda: call(NAME, corp, PROFILE, "Connect", "(a{sv})", {}))
        os.kill(polkit, signal.SIGCONT)
        wait_until(lambda: any("in use by another" in line or f"by uid {bob.uid}" in line for line in log(bus)), 10,
                   "bob's call is decided")
    finally:
        caller.kill()
    (path, theirs), = objects(bus, CONNECTION).items()
    expect(theirs["Owner"] == 0, f"it is {theirs['Owner']}'s now")
    bus.as_user(0, lambda: call(NAME, path, CONNECTION, "Disconnect"))


@service_case("a profile whose connection failed is not in use by whom it failed for")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    alice.connect(what="Corp", secrets=secrets_text("wrong"), code=7)
    check_connected(bob.connect(what="Corp")[-1])
    expect(len(objects(bus, CONNECTION)) == 1, f"{objects(bus, CONNECTION)}")
    bob.dialtone("disconnect")


def connect_again():
    """One more connection of this process to the bus, which lets each have a hundred calls under way."""
    flags = Gio.DBusConnectionFlags
    return Gio.DBusConnection.new_for_address_sync(
        f"unix:path={SOCKET}", flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)


def register_polkit_agent(pid, asked=lambda *_: None):
    """polkit asks this process for the password that a call of that one takes. It hears of that, and
    can answer, only where it runs its main loop."""
    began = int(stat_of(pid)[19])
    subject = ("unix-process", {"pid": GLib.Variant("u", pid), "start-time": GLib.Variant("t", began),
                                "uid": GLib.Variant("i", os.getuid())})
    connection().register_object("/agent", AGENT.interfaces[0], asked, None, None)
    call(POLKIT, AUTHORITY, f"{POLKIT}.Authority", "RegisterAuthenticationAgent", "((sa{sv})ss)", subject, "C", "/agent")


def answer_of(*arguments, **more):
    try:
        call(*arguments, **more)
    except BusError as error:
        return error.name.rpartition(".")[2]
    return "taken"


def wish(own, **more):
    """Where nobody may be asked for a password."""
    return answer_of(NAME, own, PROFILE, "Connect", "(a{sv})", {}, **more)


def let_wait(own, fds):
    """Has hundreds of calls wait for a password, and hears what becomes of one more."""
    register_polkit_agent(os.getpid())
    for again in [connect_again() for _ in range(4)]:
        for _ in range(100):
            message = Gio.DBusMessage.new_method_call(NAME, own, PROFILE, "Connect")
            message.set_body(GLib.Variant("(a{sv})", ({},)))
            message.set_flags(Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
            if fds:
                attached = Gio.UnixFDList.new()
                for _ in range(fds):
                    attached.append(0)
                message.set_unix_fd_list(attached)
            again.send_message(message, Gio.DBusSendMessageFlags.NONE)
        # Behind them, so they have come when this is answered.
        said = wish(own, through=again)
    return said


def own_profile(bus, user):
    return user.call(bus, f"{TOP}/manager", MANAGER, "AddProfile", "(sa{sv})",
                     profile_text(profile(Identity__Auth="psk")), {})[0]


def waiting_calls(bus, own, uid, fds):
    """Who has them, and whether he could make one more."""
    def wait(say):
        say(let_wait(own, fds))
        signal.pause()

    caller = Caller(uid, wait)
    return caller, caller.hear()


@service_case("who lets calls wait for a password keeps nobody else from calling", rule=None, connection=False)
def _(lab, bus, alice, bob):
    owns = {user.uid: own_profile(bus, user) for user in (alice, bob)}
    caller, said = waiting_calls(bus, owns[bob.uid], bob.uid, 0)
    expect(said == "LimitsExceeded", f"bob's calls do not wait: {said}")
    heard = bus.as_user(alice.uid, lambda: wish(owns[alice.uid]))
    caller.kill()
    expect(heard == "AuthenticationNeeded", f"alice hears {heard}")
    wait_until(lambda: bus.as_user(bob.uid, lambda: wish(owns[bob.uid])) == "AuthenticationNeeded", 10,
               "bob is heard again when they are over")


@service_case("who attaches descriptors to calls uses up none of the service's", rule=None, connection=False)
def _(lab, bus, alice, bob):
    bus.activate(NAME, "dialtone", f"/usr/bin/prlimit --nofile=1024 {bus.build}/client/service/dialtoned")
    owns = {user.uid: own_profile(bus, user) for user in (alice, bob)}
    caller, said = waiting_calls(bus, owns[bob.uid], bob.uid, 16)
    n = len(os.listdir(f"/proc/{bus.owner_pid(NAME)}/fd"))
    heard = bus.as_user(alice.uid, lambda: wish(owns[alice.uid]))
    caller.kill()
    expect(n < 100 and said == heard == "AuthenticationNeeded", f"{n} are open; alice hears {heard}, bob {said}")


@service_case("a message longer than any profile is refused before it can wait", rule=None, connection=False)
def _(lab, bus, alice, bob):
    own = own_profile(bus, bob)

    def say_at_length():
        return [answer_of(NAME, path, interface, method, signature, *arguments)
                for text in ("x" * (200 * 1024), "x" * (300 * 1024), "x" * (4 * 1024 * 1024))
                for path, interface, method, signature, arguments in (
                    (f"{TOP}/manager", MANAGER, "AddProfile", "(sa{sv})", (text, {})),
                    (own, PROFILE, "Connect", "(a{sv})", ({"override": GLib.Variant("s", text)},)),
                    (own, "org.freedesktop.DBus.Properties", "Get", "(ss)", (PROFILE, text)))]

    said = bus.as_user(bob.uid, say_at_length)
    expect(said[0] == "ProfileInvalid" and "LimitsExceeded" not in said[:3], f"{said}")
    expect(said[3:] == ["LimitsExceeded"] * 6, f"{said}")


@service_case("what root wanted once and failed is not tried again by itself")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    alice.uid = 0
    alice.connect(what="Corp", secrets=secrets_text("wrong"), code=7)
    wait_until(lambda: any("failed: " in line for line in log(bus)), 5, "it is told")
    expect(not any("tried again" in line for line in log(bus)), f"{log(bus)}")


@service_case("what is refused to one user pushes out nothing that concerns others")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    alice.connect()
    theirs, = objects(bus, CONNECTION)
    about = "corp.dialtone"
    expect(any(about in line for line in log(bus)), f"{log(bus)}")
    said = bus.as_user(bob.uid, lambda: {answer_of(NAME, theirs, CONNECTION, "GetReport") for _ in range(300)}, 40)
    expect(said == {"NotPermitted"} and any("refused" in line for line in log(bus)), f"bob hears {said}")
    expect(any(about in line for line in log(bus)), "it is pushed out")
    alice.dialtone("disconnect")


@service_case("a connect whose service dies ends with 1, also where it is not the one that serves")
def _(lab, bus, alice, bob):
    lab.drop_at("gateway", "meta l4proto udp")
    words = ("connect", "--secrets", alice.file("secrets", secrets_text()),
             alice.file("office.dialtone", profile_text(profile())))
    running = []
    for _ in range(2):
        running.append(subprocess.Popen(alice.command(*words), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True))
        # Until it says so: the second finds what the first has wanted.
        wait_until(lambda: running[-1].stderr.readline().startswith("phase1"), 10, "it tries")
    os.kill(bus.owner_pid(NAME), signal.SIGKILL)
    said = [process.communicate(timeout=20)[1] for process in running]
    codes = [process.returncode for process in running]
    expect(codes == [1, 1] and all("failed: " in words for words in said), f"{codes}: {said}")


@service_case("a connect that stays takes a channel from nobody but the service, whatever the bus lets through")
def _(lab, bus, alice, bob):
    def offer():
        """By another process of the service's user: the bus keeps all others from it."""
        ask = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
        said = []
        for name in call(*ask, "ListNames")[0]:
            if name.startswith(":") and call(*ask, "GetConnectionUnixUser", "(s)", name)[0] == alice.uid:
                try:
                    said.append(call(name, "/org/dialtone/Agent", "org.dialtone.Agent1", "Serve", "(osa{sv}h)",
                                     own, "", {}, 0))
                except BusError as error:
                    said.append(error.message.rpartition(": ")[2])
        return said

    words = ("connect", "--stay", "--json", "--secrets", alice.file("secrets", secrets_text()),
             alice.file("office.dialtone", profile_text(profile())))
    with subprocess.Popen(alice.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as staying:
        wait_until(lambda: list(states(bus).values()) == ["connected"], 20, "it is connected")
        own, = objects(bus, CONNECTION)
        said = bus.as_user(bus.service, offer)
        expect(said == ["this agent hears the service"], f"{said}")
        alice.dialtone("disconnect")
        told = [json.loads(line)["state"] for line in staying.communicate(timeout=20)[0].splitlines()]
        expect(staying.returncode == 0, f"it ends with {staying.returncode}")
        # By its agent or by itself, each once.
        expect(told[-4:] == ["phase2", "connected", "disconnecting", "idle"] and len(told) == len(set(told)), f"{told}")


@service_case("a connect has made itself known before it brings its profile, which goes with the last who has")
def _(lab, bus, alice, bob):
    # As it is when another program of the same user leaves in between.
    with subprocess.Popen(["dbus-monitor", "--system", f"destination={NAME}"], stdout=subprocess.PIPE,
                          text=True) as watcher:
        wait_until(lambda: "NameLost" in watcher.stdout.readline(), 5, "the bus is watched")
        alice.connect()
        alice.dialtone("disconnect")
        watcher.terminate()
        said = [line.rpartition("=")[2].strip() for line in watcher.stdout if "interface=" + MANAGER in line]
    expect(said[:2] == ["RegisterAgent", "AddProfile"], f"{said}")


def locked(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(line for line in file if line.startswith("VmLck:"))


@service_case("a connection that failed keeps no secret of the machine's")
def _(lab, bus, alice, bob):
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system")
    system_secret(bus, UUID, secrets_text())
    bus.activate("org.dialtone.Helper1", "root", "/bin/false")
    alice.dialtone("list")
    wait_until(lambda: objects(bus, PROFILE), 5, "the profile is there")
    pid = bus.owner_pid(NAME)
    before = locked(pid)
    alice.connect(what="Corp", code=1)
    expect(states(bus) == {"Corp": "failed"}, f"{states(bus)}")
    wait_until(lambda: locked(pid) == before, 5, f"{before.strip()} as before")
    alice.dialtone("disconnect")


@service_case("who wants to connect while the service ends is told so at once, and holds nothing up")
def _(lab, bus, alice, bob):
    alice.connect()
    own = own_profile(bus, bob)
    helper, = bus.ask_bus("GetConnectionUnixProcessID", "(s)", "org.dialtone.Helper1")
    pid = bus.owner_pid(NAME)
    children = [int(p) for p in os.listdir("/proc") if p.isdigit() and stat_of(p)[1:2] == [str(helper)]]
    for child in children:
        os.kill(child, signal.SIGSTOP)
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: any("told to stop" in line for line in log(bus)), 5, "it ends")
    said = bus.as_user(bob.uid, lambda: wish(own))
    for child in children:
        os.kill(child, signal.SIGCONT)
    expect(said == "Internal", f"bob hears {said}")
    wait_until(lambda: bus.owner_pid(NAME) != pid, 8, "it has ended")


def waiting_process(user, *words):
    """A command line of theirs that waits before its first step, for SIGCONT."""
    command = user.command(*words)
    program = next(n for n, word in enumerate(command) if word.endswith("/dialtone"))
    command[program:program] = ["sh", "-c", 'kill -STOP $$; exec "$@"', "sh"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: stat_of(process.pid)[:1] == ["T"], 5, "it waits to be let go")
    return process


@service_case("SIGINT ends a connect that waits for a password of polkit's", rule=None, connection=False)
def _(lab, bus, alice, bob):
    words = ("connect", "--secrets", alice.file("secrets", secrets_text()),
             alice.file("office.dialtone", profile_text(profile())))
    with waiting_process(alice, *words) as process:
        def wait(say):
            register_polkit_agent(process.pid)
            say("registered")
            while not GLib.MainContext.default().pending():
                time.sleep(0.05)
            say("asked")
            signal.pause()

        caller = Caller(alice.uid, wait)
        try:
            caller.hear()
            process.send_signal(signal.SIGCONT)
            caller.hear()
            process.send_signal(signal.SIGINT)
            code = process.wait(10)
        finally:
            process.kill()
            caller.kill()
        expect(code == 0, f"it ended with {code}: {process.stderr.read()}")
    expect(not objects(bus, CONNECTION), "it is wanted")


def ask_when_continued(own):
    """What the caller does: a call for which polkit asks a person, when it is let go."""
    def ask(say):
        os.kill(os.getpid(), signal.SIGSTOP)
        connection().call_sync(NAME, own, PROFILE, "Connect", GLib.Variant("(a{sv})", ({},)), None,
                               Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION, -1, None)
        say("connected")
    return ask


def answer_when_told(pid):
    """The person says who they are, and yes when root has vouched for them and SIGUSR1 comes."""
    def answer(say):
        told = []
        signal.signal(signal.SIGUSR1, lambda *_: told.append(True))

        def asked(_bus, _sender, _path, _interface, _method, parameters, invocation):
            say((parameters[4], [kind for kind, _ in parameters[5]], [who["uid"] for _, who in parameters[5]]))
            while not told:
                time.sleep(0.02)
            invocation.return_value(None)

        register_polkit_agent(pid, asked)
        say("registered")
        while True:
            GLib.MainContext.default().iteration(True)
    return answer


@service_case("what its caller gave up while polkit asked a person is not done", rule=None, connection=False)
def _(lab, bus, alice, bob):
    own = own_profile(bus, bob)
    caller = Caller(bob.uid, ask_when_continued(own))
    wait_until(lambda: stat_of(caller.pid)[:1] == ["T"], 5, "it waits to be let go")
    agent = Caller(bob.uid, answer_when_told(caller.pid))
    try:
        agent.hear()
        os.kill(caller.pid, signal.SIGCONT)
        cookie, kinds, uids = agent.hear()
        caller.kill()
        bus.as_user(0, lambda: call(POLKIT, AUTHORITY, f"{POLKIT}.Authority", "AuthenticationAgentResponse2",
                                    "(us(sa{sv}))", bob.uid, cookie, (kinds[0], {"uid": GLib.Variant("u", uids[0])})))
        os.kill(agent.pid, signal.SIGUSR1)
        wait_until(lambda: any("wanted by" in line or "has gone" in line for line in log(bus)), 10, "it is decided")
    finally:
        caller.kill()
        agent.kill()
    expect(not objects(bus, CONNECTION), "it is wanted")


@service_case("what began by itself and lacks a secret is in nobody's way; what root asked for is")
def _(lab, bus, alice, bob):
    system_profile("Corp", Network__Autoconnect="yes")
    alice.dialtone("list")
    wait_until(lambda: states(bus) == {"Corp": "needs-secrets"}, 10, f"root's lacks its secret: {states(bus)}")
    check_connected(alice.connect(what="Corp")[-1])
    wait_until(lambda: [c["Owner"] for c in objects(bus, CONNECTION).values()] == [alice.uid], 5, "it is alice's alone")
    alice.dialtone("disconnect")
    corp, = objects(bus, PROFILE)
    theirs, = bus.as_user(0, lambda: call(NAME, corp, PROFILE, "Connect", "(a{sv})", {}))
    wait_until(lambda: states(bus) == {"Corp": "needs-secrets"}, 10, f"it lacks its secret: {states(bus)}")
    said = bob.refused(bus, corp, PROFILE, "Connect", "(a{sv})", {})
    expect("in use by another user (uid 0)" in said, f"bob hears {said}")
    bus.as_user(0, lambda: call(NAME, theirs, CONNECTION, "Disconnect"))


main()
