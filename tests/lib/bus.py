# SPDX-License-Identifier: GPL-2.0-or-later
"""A system bus of its own on a machine to throw away: the real dbus-daemon with its real
configuration, the project's policies, and the real polkitd.

    with Bus() as bus:                      # in tests/lib/sandbox, as root
        answer = bus.as_user(bus.service, lambda: call(NAME, PATH, INTERFACE, METHOD, "(us)", 1, "x"))

/etc/passwd (the sandbox's own) gets the user "dialtone", /usr/share/dbus-1 and /usr/share/polkit-1
get a layer for the files of data/, as they are after `meson install` but for the programs, which
are those of the build. Programs are started by the bus through its setuid helper, as on a machine
without systemd; their standard error goes to the bus's log, bus.log().

polkitd is started by the bus when somebody asks it. What it says is decided by data/polkit-1 and by
bus.polkit(rule): JavaScript for /etc/polkit-1/rules.d. It does not know any session here, so nobody
counts as active. Processes of root are always authorized.

A test itself never speaks D-Bus, for GDBus starts a thread, and a process with threads can't fork:
it has a Caller for each user, which is a process of that user.
"""

import fcntl
import functools
import glob
import os
import pickle
import pwd
import select
import shlex
import shutil
import signal
import subprocess
import time
import traceback

import gi

gi.require_version("Gio", "2.0")
gi.require_version("GLib", "2.0")
# pylint: disable=wrong-import-position
from gi.repository import Gio, GLib

from client import binary
from lab import ROOT, Failure, expect, wait_until

SERVICE = 61180    # the user dialtone
PEOPLE = {"alice": 61001, "bob": 61002}
SOCKET = "/run/dbus/system_bus_socket"
LOG = "/run/dbus/daemon.log"
CALL_MS = 15000


class BusError(Exception):
    """An error that came back: `name` as on the bus, "" for one of our own side."""

    def __init__(self, name, message):
        super().__init__(name, message)
        self.name, self.message = name, message


class Killed(Failure):
    """A caller ended without an answer."""


# ---- what callers do; only they may ----
@functools.cache
def connection():
    """The caller's connection to the bus; it stays as long as the caller lives."""
    flags = Gio.DBusConnectionFlags
    return Gio.DBusConnection.new_for_address_sync(
        f"unix:path={SOCKET}", flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)


def connect_peer(fd):
    """A connection to whoever has the other end of a socket pair."""
    stream = Gio.Socket.new_from_fd(fd).connection_factory_create_connection()
    return Gio.DBusConnection.new_sync(stream, None, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT,
                                       None, None)


def call(name, path, interface, method, signature="()", *arguments, through=None, milliseconds=CALL_MS):
    """One call; the values that came back, descriptors among them as such. name None: to a peer."""
    values = GLib.Variant(signature, arguments) if signature else None
    try:
        answer, fds = (through or connection()).call_with_unix_fd_list_sync(
            name, path, interface, method, values, None, Gio.DBusCallFlags.NONE, milliseconds, None, None)
    except GLib.Error as error:
        raise BusError(Gio.dbus_error_get_remote_error(error) or "", error.message) from None
    values = list(answer.unpack())
    if fds:
        for i in range(answer.n_children()):
            if answer.get_child_value(i).get_type_string() == "h":
                values[i] = fds.get(values[i])
    return values


def random_value(dice, depth=0):
    """A signature and a value of it."""
    kinds = "ybnqiuxtdsog" + ("" if depth > 2 else "(av")
    kind = dice.choice(kinds)
    if kind == "(":
        parts = [random_value(dice, depth + 1) for _ in range(dice.randint(1, 3))]
        return "(" + "".join(s for s, _ in parts) + ")", tuple(v for _, v in parts)
    if kind == "a":
        signature, _ = random_value(dice, depth + 1)
        return "a" + signature, []
    if kind == "v":
        return "v", GLib.Variant(*random_value(dice, depth + 1))
    value = {"b": bool(dice.getrandbits(1)), "d": dice.random(), "s": "x" * dice.randint(0, 300),
             "o": "/org/dialtone", "g": "a{sv}"}
    signed = {"n": 15, "i": 31, "x": 63}
    unsigned = {"y": 8, "q": 16, "u": 32, "t": 64}
    if kind in signed:
        return kind, dice.getrandbits(signed[kind]) - (1 << (signed[kind] - 1))
    return kind, value[kind] if kind in value else dice.getrandbits(unsigned[kind])


def send_random(dice, where, waits):
    """A call with arguments of any kind to (name, path, interface, member); the answer is no matter."""
    message = Gio.DBusMessage.new_method_call(*where)
    values = [random_value(dice) for _ in range(dice.randint(0, 4))]
    message.set_body(GLib.Variant("(" + "".join(s for s, _ in values) + ")", tuple(v for _, v in values)))
    if waits:
        connection().send_message_with_reply_sync(message, Gio.DBusSendMessageFlags.NONE, CALL_MS, None)
        return
    message.set_flags(Gio.DBusMessageFlags.NO_REPLY_EXPECTED)
    connection().send_message(message, Gio.DBusSendMessageFlags.NONE)


class Caller:
    """A process of some user that runs function(say); what it says can be heard here."""

    def __init__(self, uid, function):
        self.pipe, send = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            self.run(uid, function, send)
        os.close(send)

    @staticmethod
    def run(uid, function, send):
        """In the child, which never returns."""
        def say(value, error=None):
            message = pickle.dumps((value, error))
            os.write(send, len(message).to_bytes(4, "big") + message)
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            function(say)
        except (Failure, BusError) as error:
            say(None, error)
        except BaseException:  # pylint: disable=broad-except
            say(None, Failure(traceback.format_exc()))
        os._exit(0)

    def read(self, n, end):
        got = b""
        while len(got) < n:
            if not select.select([self.pipe], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure("the caller says nothing")
            more = os.read(self.pipe, n - len(got))
            if not more:
                raise Killed("the caller ended")
            got += more
        return got

    def hear(self, seconds=30):
        """The next thing that it says, or the exception that it ended with."""
        end = time.monotonic() + seconds
        value, error = pickle.loads(self.read(int.from_bytes(self.read(4, end), "big"), end))
        if error:
            raise error
        return value

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.pipe)
            self.pid = 0


# ---- the machine ----
def add_user(name, uid):
    """In the sandbox's own /etc."""
    expect(os.uname().nodename == "sandbox", "this is no machine to throw away")
    try:
        pwd.getpwnam(name)
    except KeyError:
        with open("/etc/passwd", "a", encoding="ascii") as file:
            file.write(f"{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n")
        with open("/etc/group", "a", encoding="ascii") as file:
            file.write(f"{name}:x:{uid}:\n")
    return pwd.getpwnam(name).pw_uid


def add_layer(folder):
    """A copy-on-write layer on a folder of the system."""
    if os.path.ismount(folder):
        return
    layer = f"/run/.layers{folder}"
    for part in ("upper", "work"):
        os.makedirs(f"{layer}/{part}", exist_ok=True)
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={folder},upperdir={layer}/upper,workdir={layer}/work", folder], check=True)


class Bus:
    """Use it as a context. `service` is the uid of the user dialtone, `people` those of others."""

    def __init__(self, wrapper=()):
        """wrapper: what the bus, and so everything it starts, is run by: ("ip", "netns", "exec", node)."""
        self.build = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(binary()))))
        self.wrapper = tuple(wrapper)
        self.service, self.people, self.daemon = SERVICE, dict(PEOPLE), None

    # ---- life ----
    def __enter__(self):
        self.service = add_user("dialtone", SERVICE)
        self.people = {name: add_user(name, uid) for name, uid in PEOPLE.items()}
        for folder in ("/usr/share/dbus-1", "/usr/share/polkit-1"):
            add_layer(folder)
        self.install()
        shutil.rmtree("/run/dbus", ignore_errors=True)
        os.makedirs("/run/dbus")
        with open(LOG, "wb") as log:
            self.daemon = subprocess.Popen(
                [*self.wrapper, "dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment())
        wait_until(lambda: os.path.exists(SOCKET), 5, "the system bus is there")
        return self

    def environment(self):
        """What the programs that the bus starts get of ours."""
        kept = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LC_ALL", "PATH")
        return {name: os.environ[name] for name in kept if name in os.environ}

    def __exit__(self, *_):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(10)

    def log(self):
        with open(LOG, encoding="utf-8", errors="replace") as file:
            return file.read()

    # ---- what is installed ----
    def install(self):
        """The files of data/ that the bus and polkit read."""
        data = os.path.join(ROOT, "data")
        for folder, suffix, target in (("dbus-1/system.d", ".conf", "/usr/share/dbus-1/system.d"),
                                       ("polkit-1/actions", ".policy", "/usr/share/polkit-1/actions")):
            source = os.path.join(data, folder)
            for name in os.listdir(source) if os.path.isdir(source) else ():
                if name.endswith(suffix):
                    shutil.copy(os.path.join(source, name), target)
        self.install_programs()

    def install_programs(self, **environment):
        """What the bus starts for our names, with that in its environment."""
        words = ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items())] if environment else []
        for name, user, program in (("org.dialtone.Helper1", "root", "platform/dialtone-helper"),
                                    ("org.dialtone.Dialtone1", "dialtone", "client/service/dialtoned")):
            path = os.path.join(self.build, program)
            if os.path.exists(path):
                self.activate(name, user, shlex.join([*words, path]))

    def activate(self, name, user, command):
        """The bus starts this command for that name."""
        path = f"/usr/share/dbus-1/system-services/{name}.service"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"[D-BUS Service]\nName={name}\nExec={command}\nUser={user}\n")
        if self.daemon:
            self.reload()

    def let_own(self, name):
        """Root may have this name, and everybody speak to it, as the policy of the package says that has it."""
        with open(f"/usr/share/dbus-1/system.d/{name}.conf", "w", encoding="ascii") as file:
            file.write(f'<busconfig><policy user="root"><allow own="{name}"/></policy>'
                       f'<policy context="default"><allow send_destination="{name}"/></policy></busconfig>')
        self.reload()

    def reload(self):
        self.ask_bus("ReloadConfig")

    def polkit(self, rule):
        """What polkit says from now on: JavaScript, None for the defaults of the actions."""
        folder, path = "/etc/polkit-1/rules.d", "/etc/polkit-1/rules.d/10-test.rules"
        os.makedirs(folder, exist_ok=True)
        if os.path.exists(path):
            os.unlink(path)
        if rule is not None:
            with open(path, "w", encoding="ascii") as file:
                file.write(rule)
        # polkitd reads its rules when it starts.
        pid = self.owner_pid("org.freedesktop.PolicyKit1")
        if pid:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.owner_pid("org.freedesktop.PolicyKit1") != pid, 5, "polkitd is gone")

    # ---- calls ----
    @staticmethod
    def as_user(uid, function, seconds=30):
        """What the function returns, or the BusError that it ends with, in a process of that user."""
        caller = Caller(uid, lambda say: say(function()))
        try:
            return caller.hear(seconds)
        finally:
            caller.kill()

    def ask_bus(self, method, signature="()", *arguments):
        return self.as_user(0, lambda: call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                            "org.freedesktop.DBus", method, signature, *arguments))

    def owner_pid(self, name):
        """The process that has this name; 0: nobody has."""
        try:
            return self.ask_bus("GetConnectionUnixProcessID", "(s)", name)[0]
        except BusError:
            return 0


def is_free(path):
    """Nobody holds the slot with this lock."""
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def slots_are_free():
    """No helper holds one, not even one that is ending."""
    return all(map(is_free, glob.glob("/run/dialtone/*.lock")))
