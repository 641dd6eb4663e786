# SPDX-License-Identifier: GPL-2.0-or-later
"""dialtoned on a real system bus, in front of a real gateway, and who is tried on it."""

import os
import shutil
import signal

from bus import Bus, BusError, GLib, call, connection as bus_connection
from cases import FULL, case
from client import profile, profile_text
from gateway import Connection, Gateway
from lab import expect, run, wait_until
from user import User

NAME, TOP = "org.dialtone.Dialtone1", "/org/dialtone/Dialtone1"
MANAGER, PROFILE, CONNECTION = (f"{NAME}.{part}" for part in ("Manager", "Profile", "Connection"))
# The second: an administrator's password would help.
REFUSED = (f"{NAME}.Error.NotPermitted", f"{NAME}.Error.AuthenticationNeeded")
# Nobody sits at this machine, so polkit is told who may.
ALLOW = """polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.dialtone.connect-") == 0)
        return polkit.Result.YES;
});"""
TAKE_OVER = """polkit.addRule(function(action, subject) {
    if (action.id == "org.dialtone.take-over" && subject.user == "bob")
        return polkit.Result.YES;
});"""


# The administrator is root, whom polkit asks for this password.
ADMINISTRATOR = """polkit.addAdminRule(function(action, subject) {
    return ["unix-user:root"];
});"""
PASSWORD = "the administrator's password"


def give_password():
    """/etc is the sandbox's own; a wrong one is a no without PAM's pause."""
    run(["sh", "-c", "chpasswd && sed -i 's/pam_unix.so.*/& nodelay/' /etc/pam.d/common-auth"],
        input=f"root:{PASSWORD}\n")


class Person(User):
    """A user who also speaks to the service directly."""

    def call(self, bus, path, interface, method, signature="()", *arguments):
        return bus.as_user(self.uid, lambda: call(NAME, path, interface, method, signature, *arguments))

    def refused(self, bus, path, interface, method, signature="()", *arguments):
        try:
            self.call(bus, path, interface, method, signature, *arguments)
        except BusError as error:
            expect(error.name in REFUSED, f"{interface}.{method}: {error}")
            return error.message
        raise AssertionError(f"{self.name} may call {interface}.{method}")


def service(lab, connection=None):
    """lab.gateway for that connection, or what a function of that lab returns (False: none), and the
    bus of the client's node."""
    lab.serve_office()
    if callable(connection):
        connection = connection(lab)
    if connection is not False:
        lab.gateway = Gateway(lab, connection or Connection("alice@example.com")).up()
    return Bus(("ip", "netns", "exec", lab.ns("client")))


def remember(bus, **environment):
    """The service writes down what is wanted, as under its unit."""
    os.makedirs("/run/dialtoned", exist_ok=True)
    os.chown("/run/dialtoned", bus.service, bus.service)
    bus.install_programs(RUNTIME_DIRECTORY="/run/dialtoned", **environment)


def objects(bus, interface):
    """What of that interface is on the bus: {path: properties}."""
    every = bus.as_user(0, lambda: call(NAME, TOP, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"))[0]
    return {path: parts[interface] for path, parts in every.items() if interface in parts}


def text_of(bus, user):
    """What the service has of its profiles, one behind the other; while it reads, nothing."""
    try:
        return "".join(user.call(bus, path, PROFILE, "GetText")[0] for path in objects(bus, PROFILE))
    except BusError:
        return ""


def log_out(say, uid, to=None):
    """In a Caller of root's: logind says that their last session has ended. Who sends it to the service
    alone (to) needs no name for that."""
    if not to:
        call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "(su)",
             "org.freedesktop.login1", 4)
    bus_connection().emit_signal(to, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "UserRemoved",
                             GLib.Variant("(uo)", (uid, f"/org/freedesktop/login1/user/_{uid}")))
    # Behind the signal: the bus has passed that on when it answers.
    call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId")
    say("done")
    signal.pause()


def helpers():
    """The helpers of tunnels, and the one that starts them, by their command lines."""
    found = {"tunnel": [], "manager": []}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        if os.path.basename(words[0]) == "dialtone-helper":
            found["tunnel" if "--tunnel" in words else "manager"].append(int(pid))
    return found


def system_secret(bus, uuid, text):
    """A file that the service may read and users may not."""
    os.makedirs("/etc/dialtone/secrets", exist_ok=True)
    os.chown("/etc/dialtone/secrets", 0, bus.service)
    os.chmod("/etc/dialtone/secrets", 0o750)
    path = f"/etc/dialtone/secrets/{uuid}"
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.chown(path + ".new", 0, bus.service)
    os.chmod(path + ".new", 0o640)
    os.rename(path + ".new", path)


def service_case(name, seconds=60, rule=ALLOW, connection=None, same=True, full=False):
    """A case with a bus, alice, bob, and a network that has to be as before when it is over (same
    False: the case changes it itself). full: not in every check."""
    def register(function):
        if full and not FULL:
            return function

        def run(lab):
            with service(lab, connection) as bus:
                try:
                    bus.polkit(rule)
                    before = lab.client_network()
                    function(lab, bus, Person(lab, bus, "alice"), Person(lab, bus, "bob"))
                    wait_until(lambda: not same or not lab.network_changes(before), 5,
                               f"the network is as before, but for {lab.network_changes(before)}")
                finally:
                    shutil.rmtree("/etc/dialtone", ignore_errors=True)
                    with open(os.path.join(lab.folder, "dialtone-bus.log"), "w", encoding="utf-8") as file:
                        file.write(bus.log())
        case(name, seconds)(run)
        return function
    return register


def system_profile(name, **more):
    os.makedirs("/etc/dialtone/profiles", exist_ok=True)
    groups = profile(Profile__Name=name, **{"Identity__Auth": "psk", **more})
    with open(f"/etc/dialtone/profiles/{name.lower()}.dialtone", "w", encoding="utf-8") as file:
        file.write(profile_text(groups))
