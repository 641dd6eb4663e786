#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line as users and scripts see it: exit codes, what goes to which output, JSON.

usage: test_cli.py DIALTONE SLOT-HOLDER MANUAL...   (prints TAP)

Cases with tunnels need root, for slots are in /run/dialtone: they run in a mount namespace whose
/run is empty. Verbs that make tunnels are tested in tests/netns.
"""

import contextlib
import ctypes
import glob
import json
import math
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
DIALTONE, HOLDER, *MANUALS = [os.path.realpath(path) for path in sys.argv[1:]]
STATES = ["idle", "resolving", "phase1", "user-auth", "config", "phase2", "connected", "reconnecting",
          "needs-secrets", "disconnecting", "failed"]
REASONS = ["internal", "usage", "profile-invalid", "secret-missing", "unreachable", "no-proposal-chosen",
           "gateway-authentication", "user-authentication", "phase2-refused", "not-permitted",
           "tunnel-lost", "policy"]
VERBS = ["connect", "disconnect", "status", "monitor", "log", "bug-report", "list", "show", "check", "renegotiate", "secret",
         "diagnose", "policy"]
CASES = []

GOOD = """[Profile]
Name=Office
UUID=6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11
[Gateway]
Address=192.0.2.1
[Identity]
ID=alice@example.com
Auth=psk
"""


class Skip(Exception):
    """This case can't run here; the message says why."""


def case(name):
    """Registers a case, a sentence. It gets a Home."""
    def register(function):
        CASES.append((name, function))
        return function
    return register


def expect(fact, what):
    if not fact:
        raise AssertionError(what)


class Home:
    """A user's home, and dialtone run in it."""

    def __init__(self, folder):
        self.folder = folder
        self.profiles = os.path.join(folder, "config", "dialtone", "profiles")
        os.makedirs(self.profiles)

    def file(self, name, content, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def run(self, *words, stdin=b"", env=None, user=None, stdout=subprocess.PIPE):
        """The finished process; its output is text."""
        full = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": self.folder,
                "XDG_CONFIG_HOME": os.path.join(self.folder, "config"),
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
        full.update(env or {})
        program = DIALTONE
        if user:  # who may not look into the folder that this was built in
            program = shutil.copy(DIALTONE, os.path.join(self.folder, "dialtone"))
        done = subprocess.run([program, *words], input=stdin, stdout=stdout, cwd=self.folder,
                              stderr=subprocess.PIPE, env=full, timeout=60, user=user, check=False)
        done.out = (done.stdout or b"").decode("utf-8", "replace")
        done.err = done.stderr.decode("utf-8", "replace")
        expect(done.returncode >= 0, f"{words} ended by signal {-done.returncode}: {done.err}")
        return done

    def expect(self, code, *words, **more):
        done = self.run(*words, **more)
        expect(done.returncode == code, f"{words} ended with {done.returncode}, not {code}: {done.err}")
        return done


# ---- the frame ----
@case("no command is a usage error, and shows the commands")
def _(home):
    done = home.expect(2)
    expect("check" in done.err and not done.out, done.err)


@case("--help and --version go to standard output")
def _(home):
    for word in ("--help", "-h", "help"):
        done = home.expect(0, word)
        expect(all(verb in done.out for verb in VERBS) and not done.err, done.out + done.err)
    for word in ("--version", "-V", "version"):
        expect(home.expect(0, word).out.startswith("dialtone "), word)


@case("every command has --help, and help COMMAND is the same")
def _(home):
    for verb in VERBS:
        done = home.expect(0, verb, "--help")
        expect(f"dialtone {verb}" in done.out and not done.err, done.out + done.err)
        expect(home.expect(0, "help", verb).out == done.out, verb)


@case("an unknown command is a usage error, and the near one is named")
def _(home):
    expect("did you mean check?" in home.expect(2, "chek").err, "chek")
    expect("did you mean status?" in home.expect(2, "Status").err, "Status")
    expect("did you mean" not in home.expect(2, "frobnicate").err, "frobnicate")
    home.expect(2, "help", "frobnicate")
    home.expect(2, "")


@case("unknown options and too many arguments are usage errors")
def _(home):
    for verb in VERBS:
        done = home.expect(2, verb, "--no-such-option")
        expect(f"dialtone {verb}: " in done.err and "--help" in done.err, done.err)
    home.expect(2, "list", "x")
    home.expect(2, "show")
    home.expect(2, "show", "a", "b")
    home.expect(2, "check")
    home.expect(2, "status", "a", "b")
    home.expect(2, "disconnect", "a", "b")
    home.expect(2, "disconnect", "--all", "a")
    home.expect(2, "renegotiate", "a", "b")
    home.expect(2, "connect")
    home.expect(2, "connect", "--standalone", "--ask-argument", "x", "a")
    home.expect(2, "connect", "a", "b")
    home.expect(2, "secret")
    home.expect(2, "secret", "generte")
    home.expect(2, "secret", "generate", "x")
    home.expect(2, "diagnose")
    home.expect(2, "diagnose", "a", "b")


@case("secret generate makes keys that every gateway takes, and no two are the same")
def _(home):
    alphabet = set("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")
    keys = [home.expect(0, "secret", "generate") for _ in range(40)]
    made = [done.out.rstrip("\n") for done in keys]
    expect(len(set(made)) == len(made), "a key came twice")
    expect(all(len(key) == 24 and set(key) <= alphabet and key[0].isalpha() for key in made), f"{made}")
    expect(len(set("".join(made))) == len(alphabet), "40 keys leave characters out")
    bits = int(math.log2(49) + 23 * math.log2(57))
    expect(all(f"{bits} bits." in done.err for done in keys), keys[0].err)
    told = json.loads(home.expect(0, "secret", "generate", "--json").out)
    expect(told["schema"] == 1 and told["bits"] == bits and len(told["psk"]) == 24, told)
    secrets = home.file("secrets", f"[Secrets]\nPSK={made[0]}\n", 0o600)
    expect("weak" not in home.expect(0, "check", "--secrets", secrets).err, "a generated key is weak")


@case("test_c11_check_says_how_long_a_weak_preshared_key_would_last")
def _(home):
    secrets = home.file("secrets", "[Secrets]\nPSK=Welcome-to-Example\n", 0o600)
    done = home.expect(0, "check", "--secrets", secrets)
    expect("warning: [Secrets] PSK: the preshared key is weak" in done.err and "about 5 minutes" in done.err, done.err)
    expect("dialtone secret generate" in done.err and "Welcome" not in done.err + done.out, done.err)
    told = json.loads(home.expect(0, "check", "--json", "--secrets", secrets).out)
    expect(told["valid"] and told["issues"][0]["severity"] == "warning", told)
    expect("Welcome" not in json.dumps(told), told)


@case("a file that is named as if it were a profile's name is told of its path")
def _(home):
    home.file("office.conf", GOOD)
    done = home.expect(3, "check", "office.conf")
    expect("./office.conf" in done.err, done.err)
    home.expect(0, "check", "./office.conf")


@case("test_e13_no_option_takes_a_secret")
def _(home):
    for option in ("--psk", "--password", "--secret"):
        home.expect(2, "check", option, "hunter2", "x")
        home.expect(2, "connect", option, "hunter2", "x")


@case("output that does not arrive is a failure")
def _(home):
    path = home.file("o.dialtone", GOOD)
    with open("/dev/full", "wb") as full:
        home.expect(1, "show", path, stdout=full)
        home.expect(1, "--help", stdout=full)


@case("arguments that are no UTF-8 or have control characters don't reach the terminal")
def _(home):
    for word in (b"\xff\xfe", b"a\x1b[31m", b"x\r\ny"):
        for words in ((word,), ("show", word), ("check", b"/" + word), ("status", word)):
            done = home.run(*words)
            expect("\x1b" not in done.err + done.out and "\r" not in done.err + done.out, done.err)


@case("connect without the service names --standalone and ends with 1")
def _(home):
    path = home.file("o.dialtone", GOOD)
    expect("--standalone" in home.expect(1, "connect", path).err, "connect")
    said = json.loads(home.expect(1, "connect", "--json", path).out)
    expect(said["state"] == "failed" and said["reason"] == "internal" and said["schema"] == 1, said)


# ---- check ----
@case("check says that a profile is valid")
def _(home):
    path = home.file("o.dialtone", GOOD)
    done = home.expect(0, "check", path)
    expect(done.out == f"{path}: valid\n" and not done.err, done.out + done.err)


@case("check names file, line, group and key of every mistake")
def _(home):
    path = home.file("o.dialtone", GOOD.replace("192.0.2.1", "300.1.2.3").replace("psk", "pks"))
    done = home.expect(3, "check", path)
    lines = done.err.splitlines()
    expect(lines[0].startswith(f"{path}:5: [Gateway] Address: "), lines)
    expect(lines[1].startswith(f"{path}:8: [Identity] Auth: "), lines)
    expect(len(lines) == 2 and not done.out, done.err + done.out)


@case("check prints warnings, and the profile is valid")
def _(home):
    path = home.file("o.dialtone", GOOD + "[Phase1]\nProposals=3des-sha1-modp1024\n")
    done = home.expect(0, "check", path)
    expect(f"{path}:10: warning: [Phase1] Proposals: 3des" in done.err, done.err)
    expect(f"{path}:10: warning: [Phase1] Proposals: modp1024" in done.err, done.err)


@case("check --json is one object a file")
def _(home):
    good = home.file("good.dialtone", GOOD + "[Phase1]\nProposals=3des-sha1-modp2048\n")
    bad = home.file("bad.dialtone", GOOD + "[Fase1]\n")
    done = home.expect(3, "check", "--json", good, bad, "./nothing")
    expect(not done.err, done.err)
    first, second, third = [json.loads(line) for line in done.out.splitlines()]
    expect(first["schema"] == 1 and first["valid"] and first["profile"] == "Office", first)
    expect(first["issues"] == [{"file": good, "line": 10, "severity": "warning", "group": "Phase1", "key": "Proposals",
                                "message": first["issues"][0]["message"]}], first)
    expect(not second["valid"] and second["issues"][0]["line"] == 9, second)
    expect(second["issues"][0]["severity"] == "error" and second["file"] == bad, second)
    expect(not third["valid"] and "nothing" in third["message"] and not third["issues"], third)


@case("check goes on behind a file that is wrong")
def _(home):
    bad, good = home.file("bad.dialtone", "x"), home.file("good.dialtone", GOOD)
    done = home.expect(3, "check", bad, good)
    expect(f"{good}: valid" in done.out and bad in done.err, done.out + done.err)


@case("check accepts every example, and the sample of the documentation")
def _(home):
    folder = os.path.join(ROOT, "data", "examples")
    names = [name for name in sorted(os.listdir(folder)) if name.endswith(".dialtone")]
    expect(len(names) >= 4, names)
    for name in names:
        if name != "certificate.dialtone":  # which names files, so it has a case of its own
            home.expect(0, "check", os.path.join(folder, name))
    with open(os.path.join(folder, "office.dialtone"), "rb") as one, \
            open(os.path.join(ROOT, "docs", "sample.dialtone"), "rb") as other:
        expect(one.read() == other.read(), "the example and the documentation's sample differ")


@case("check reads secrets files, and never quotes them")
def _(home):
    with open(os.path.join(ROOT, "data", "examples", "secrets"), "rb") as file:
        sample = file.read()
    path = home.file("s", sample, 0o600)
    expect(home.expect(0, "check", "--secrets", path).out == f"{path}: valid\n", path)
    os.chmod(path, 0o644)
    done = home.expect(3, "check", "--secrets", path)
    expect("0644" in done.err and f"chmod 600 {path}" in done.err, done.err)
    path = home.file("s", "[Secrets]\nPSK=0xhunter2\n", 0o600)
    done = home.expect(3, "check", "--secrets", path)
    expect(f"{path}:2: [Secrets] PSK: " in done.err and "hunter2" not in done.err, done.err)
    done = home.expect(3, "check", "--json", "--secrets", path)
    expect("hunter2" not in done.out and not json.loads(done.out)["valid"], done.out)


@case("check reads secrets from standard input")
def _(home):
    home.expect(0, "check", "--secrets", "-", stdin=b"[Secrets]\nPSK=x\n")
    done = home.expect(3, "check", "--secrets", "-", stdin=b"")
    expect("standard input:1: " in done.err, done.err)


@case("a profile without a key is valid together with secrets that have one")
def _(home):
    path = home.file("o.dialtone", GOOD.replace("Auth=psk\n", ""))
    home.expect(3, "check", path)
    home.expect(0, "check", "--secrets", "-", path, stdin=b"[Secrets]\nPSK=x\n")
    home.expect(3, "check", "--secrets", "-", path, stdin=b"[Secrets]\nUser=x\n")


@case("check reads no file of ten megabytes, no directory, no device and no FIFO")
def _(home):
    big = home.file("big.dialtone", b"#" * 10_000_000)
    fifo = os.path.join(home.folder, "fifo.dialtone")
    os.mkfifo(fifo)
    for path in (big, fifo, home.folder + "/", "/dev/zero", "/no/such/file"):
        done = home.expect(3, "check", path)
        expect(path.rstrip("/") in done.err, done.err)


# ---- list and show ----
@case("a profile is called by its name, its UUID, its file's name or its path")
def _(home):
    shutil.copy(home.file("o.dialtone", GOOD), os.path.join(home.profiles, "hq.dialtone"))
    for what in ("Office", "hq", "6F1C0F5E-0D0F-4D53-8A36-1C1D4F0A2B11", "./o.dialtone", "o.dialtone"):
        expect("Name=Office\n" in home.expect(0, "show", what).out, what)


@case("a name that is near is suggested, with exit code 3")
def _(home):
    shutil.copy(home.file("o.dialtone", GOOD), home.profiles)
    done = home.expect(3, "show", "Offices")
    expect("there is no profile 'Offices'" in done.err and "Did you mean 'Office'?" in done.err, done.err)


@case("list shows names, layers and files, and what is broken")
def _(home):
    shutil.copy(home.file("o.dialtone", GOOD), home.profiles)
    shutil.copy(home.file("b.dialtone", "[Profile]\nName=Broken\n"), home.profiles)
    done = home.expect(0, "list")
    rows = [line.split("\t") for line in done.out.splitlines()]
    expect(rows[0][:3] == ["Broken", "user", os.path.join(home.profiles, "b.dialtone")], rows)
    expect("mistakes" in rows[0][3] and rows[1][0] == "Office" and len(rows[1]) == 3, rows)
    found = json.loads(home.expect(0, "list", "--json").out)
    expect(found["schema"] == 1 and [p["valid"] for p in found["profiles"]] == [False, True], found)


@case("list without profiles says where they belong")
def _(home):
    done = home.expect(0, "list")
    if done.out:
        raise Skip("this computer has profiles of its own")
    expect("dialtone/profiles" in done.err, done.err)
    expect(json.loads(home.expect(0, "list", "--json").out)["profiles"] == [], "JSON")


@case("under sudo the profiles are those of the user who called it")
def _(home):
    if os.geteuid() != 0:
        raise Skip("needs root")
    if not os.path.isdir("/home") and not os.path.isdir("/root"):
        raise Skip("there are no homes")
    # daemon's home of /etc/passwd has no profiles; root's HOME here has one
    shutil.copy(home.file("o.dialtone", GOOD), home.profiles)
    done = home.run("list", env={"SUDO_UID": "1", "XDG_CONFIG_HOME": ""})
    expect("Office" not in done.out, done.out)


@case("show prints a profile that means the same")
def _(home):
    path = home.file("o.dialtone", GOOD.replace("Address=", "Address = [2001:DB8::1]:500 ; "))
    for options in ((), ("--all",)):
        once = home.expect(0, "show", *options, path).out
        again = home.expect(0, "show", *options, home.file("again.dialtone", once)).out
        expect(once == again and "Address=[2001:db8::1]:500;192.0.2.1\n" in once, once)
    values = json.loads(home.expect(0, "show", "--json", "--all", path).out)["values"]
    expect(values["Network"]["RetryFor"] == "forever" and values["Identity"]["Auth"] == "psk", values)
    expect("RetryFor" not in home.expect(0, "show", "--json", path).out, "defaults without --all")


@case("show marks weak algorithms on standard error")
def _(home):
    done = home.expect(0, "show", home.file("o.dialtone", GOOD + "[Phase1]\nProposals=3des-md5-modp768\n"))
    expect(done.err.count(":10: warning: ") == 3 and "warning" not in done.out, done.err + done.out)


@case("show of a wrong profile prints its mistakes and nothing else")
def _(home):
    done = home.expect(3, "show", home.file("o.dialtone", GOOD + "[Secrets]\nPSK=hunter2\n"))
    expect(":10: [Secrets] PSK: " in done.err and not done.out, done.err + done.out)
    expect("hunter2" not in done.err, done.err)


# ---- tunnels ----
CONNECTED = json.dumps({
    "schema": 1, "time": "2026-01-02T03:04:05.678Z", "state": "connected", "profile": "Office",
    "interface": "dialtone0", "address": "10.1.2.3/32", "address6": None, "dns": ["10.0.0.53"],
    "domains": [], "routes": ["10.0.0.0/8"], "gateway": "192.0.2.1:4500", "nat": "forced", "mtu": 1400,
    "banner": "hi\x1b[31m", "fallback": False, "elapsed_ms": 4,
    "phase1": {"encryption": "aes256", "hash": "sha256", "group": "modp1024", "auth": "psk", "lifetime": 1},
    "phase2": []})


class Holder:
    """A process that holds a slot; ends with the block."""

    def __init__(self, label, *more, state=CONNECTED):
        if os.geteuid() != 0:
            raise Skip("needs root")
        self.process = subprocess.Popen([HOLDER, label, state, *more], stdout=subprocess.PIPE)
        expect(self.process.stdout.readline().startswith(b"slot "), "the slot was not taken")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()

    def next_line(self):
        return self.process.stdout.readline().decode().strip()


@case("status without tunnels says so, and --json prints nothing")
def _(home):
    expect("No tunnel is up." in home.expect(0, "status").out, "status")
    done = home.expect(0, "status", "--json")
    expect(not done.out and not done.err, done.out + done.err)


@case("status of a profile that is not connected is idle")
def _(home):
    path = home.file("o.dialtone", GOOD)
    done = home.expect(0, "status", "--json", path)
    state = json.loads(done.out)
    expect(state["schema"] == 1 and state["state"] == "idle" and state["profile"] == "Office", state)
    shutil.copy(path, home.profiles)
    expect("idle" in home.expect(0, "status", "Office").out, "status Office")


@case("status, disconnect and renegotiate of a name that nothing has end with 3")
def _(home):
    shutil.copy(home.file("o.dialtone", GOOD), home.profiles)
    for verb in ("status", "disconnect", "renegotiate"):
        done = home.expect(3, verb, "Offices")
        expect("there is no profile 'Offices'" in done.err and "Did you mean 'Office'?" in done.err, done.err)


@case("status of a tunnel without a profile shows it all the same")
def _(home):
    with Holder("Gone"):
        expect("Gone (dialtone0)" in home.expect(0, "status", "Gone").out, "status Gone")
        home.expect(0, "renegotiate", "Gone")


def make_certificate(home, days, passphrase=None):
    """alice.pem: a certificate that signed itself, and its key."""
    lock = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-days", str(days), "-subj", "/O=Example/CN=Alice", "-addext",
                    "subjectAltName=email:alice@example.com", *lock, "-keyout", "key.pem", "-out", "crt.pem"],
                   cwd=home.folder, check=True, capture_output=True)
    with open(os.path.join(home.folder, "crt.pem"), "rb") as crt, \
            open(os.path.join(home.folder, "key.pem"), "rb") as key:
        return home.file("alice.pem", crt.read() + key.read(), 0o600)


def with_certificate(home, path, identity="alice@example.com"):
    return home.file("c.dialtone", f"[Gateway]\nAddress=192.0.2.1\n[Identity]\nID={identity}\n"
                                   f"Certificate=file:{path}\nCA=file:{path}\n")


@case("check and show say whose certificate is used, and until when it holds")
def _(home):
    path = make_certificate(home, 400, "secret")
    profile = with_certificate(home, path)
    said = home.expect(0, "check", profile)
    expect("your certificate is CN=Alice,O=Example, until 20" in said.out and not said.err, said.out + said.err)
    said = json.loads(home.expect(0, "check", "--json", profile).out)
    expect(said["valid"] and said["certificate"]["subject"] == "CN=Alice,O=Example", said)
    expect(said["certificate"]["expires_soon"] is False, said)
    shown = home.expect(0, "show", profile).out
    expect(shown.startswith("# your certificate is CN=Alice,O=Example, until 20"), shown)
    home.expect(0, "check", home.file("again.dialtone", shown))
    expect(json.loads(home.expect(0, "show", "--json", profile).out)["certificate"]["not_after"][-1] == "Z", "Z")


@case("check accepts the example of a certificate when its files are there")
def _(home):
    path = make_certificate(home, 400)
    with open(os.path.join(ROOT, "data", "examples", "certificate.dialtone"), encoding="utf-8") as file:
        text = re.sub(r"(?m)^(Certificate|CA)=.*$", rf"\1=file:{path}", file.read())
    expect(text.count(path) == 2, text)
    said = home.expect(0, "check", home.file("example.dialtone", text))
    expect(not said.err, said.err)


@case("check warns of a certificate that ends soon, and of an ID that is not in it")
def _(home):
    profile = with_certificate(home, make_certificate(home, 10), "bob@example.com")
    said = home.expect(0, "check", profile).err
    expect("c.dialtone:5: warning: [Identity] Certificate: your certificate (CN=Alice,O=Example) ends on" in said,
           said)
    expect("c.dialtone:4: warning: [Identity] ID: does not stand in your certificate" in said, said)


@case("check refuses a key that others may read, and files that are not there")
def _(home):
    path = make_certificate(home, 400)
    profile = with_certificate(home, path)
    os.chmod(path, 0o644)
    said = home.expect(3, "check", profile).err
    expect("c.dialtone:5: [Identity] Certificate: " in said and "chmod 600" in said, said)
    os.unlink(path)
    said = json.loads(home.expect(3, "check", "--json", profile).out)
    expect(not said["valid"] and "c.dialtone:6: [Identity] CA: " in said["message"], said)


@case("status shows the last state of a tunnel, made clean")
def _(home):
    with Holder("Office"):
        done = home.expect(0, "status")
        expect(done.out.startswith("Office (dialtone0): connected: dialtone0 10.1.2.3/32"), done.out)
        expect("\x1b" not in done.out, done.out)
        expect(", weak: modp1024 | hi" in done.out, done.out)
        wanted = dict(json.loads(CONNECTED), banner="hi[31m", weak=["modp1024"],
                      certificate=None, gateway_certificate=None, offloads=None, traffic=None)
        for words in ((), ("Office",)):
            expect(json.loads(home.expect(0, "status", "--json", *words).out) == wanted, words)
        home.expect(3, "status", "Other")


@case("a tunnel is reached by the path of a profile that is wrong by now")
def _(home):
    with Holder("Office") as holder:
        home.expect(0, "renegotiate", home.file("o.dialtone", GOOD.replace("Auth=psk", "Auth=x")))
        expect(holder.next_line() == "SIGHUP", "no SIGHUP")


@case("status shows another user that a tunnel is up, and not how")
def _(home):
    with Holder("Office"):
        done = home.expect(0, "status", user="nobody")
        expect("Office (dialtone0): up, by another user" in done.out, done.out)


class Left:
    """A kill switch that was left behind, as its record has it; root may release it."""

    def __init__(self, slot, text):
        if os.geteuid() != 0:
            raise Skip("needs root")
        os.makedirs("/run/dialtone", exist_ok=True)
        self.path = f"/run/dialtone/{slot}.{os.stat('/proc/self/ns/net').st_ino}.firewall"
        with open(self.path, "wb") as file:
            file.write(text)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if os.path.exists(self.path):
            os.unlink(self.path)


@case("status and disconnect tell everybody of a kill switch that was left behind, and of the way out")
def _(home):
    path = home.file("o.dialtone", GOOD)
    for word, setting in ((b"kill-switch", "yes"), (b"kill-switch-persistent", "persistent"), (b"?", "persistent")):
        with Left(3, word + b"\nOffice\n"):
            for user in (None, "nobody"):
                for words in ((), ("Office",)):
                    done = home.expect(0, "status", *words, user=user)
                    expect(done.out.startswith("Office: Its kill switch was left behind") and
                           "sudo dialtone disconnect --release-kill-switch" in done.out, done.out)
                    said = json.loads(home.expect(0, "status", "--json", *words, user=user).out)
                    expect(said["schema"] == 1 and said["state"] == "idle" and said["profile"] == "Office" and
                           said["kill_switch"] == setting and "--release-kill-switch" in said["advice"], said)
                done = home.expect(0, "disconnect", "--all", user=user)
                expect("'Office' stands" in done.err and "--release-kill-switch" in done.err, done.err)
            with Holder("Home", state=CONNECTED.replace("Office", "Home")):
                lines = home.expect(0, "status").out.splitlines()
                expect(len(lines) == 2 and lines[1].startswith("Office: Its kill switch"), lines)
                objects = [json.loads(line) for line in home.expect(0, "status", "--json").out.splitlines()]
                expect(["kill_switch" in one for one in objects] == [False, True], objects)
    expect("kill_switch" not in json.loads(home.expect(0, "status", "--json", path).out), "it is gone")


@case("a kill switch that its tunnel holds, or that is none, is not told as left")
def _(home):
    with Holder("Office"):
        with Left(0, b"kill-switch\nOffice\n"):
            expect("left behind" not in home.expect(0, "status").out, "it is held")
    for text in (b"addresses\nOffice\n", b"kill-switch\n" + b"\x1b[31m" * 100):
        with Left(4, text):
            done = home.expect(0, "status")
            expect("\x1b" not in done.out and ("left behind" in done.out) == (b"kill" in text), done.out)


@case("a state file that makes no sense does not break status")
def _(home):
    for state in ("", "{", "[]", "{}", "x" * 60000, '{"schema":1,"state":"connected"}'):
        with Holder("Office", state=state):
            expect("Office (dialtone0): starting" in home.expect(0, "status").out, state[:20])
            home.expect(0, "status", "--json")


@case("disconnect ends the tunnel and returns when it has ended")
def _(home):
    with Holder("Office", "1") as holder:
        home.expect(0, "disconnect", home.file("o.dialtone", GOOD))
        expect(holder.process.poll() is not None, "it has not ended yet")
        expect(holder.next_line() == "SIGTERM", "no SIGTERM")


@case("disconnect without a name ends the only tunnel, and refuses to choose among two")
def _(home):
    with Holder("Office") as one, Holder("Home") as two:
        home.expect(2, "disconnect")
        home.expect(0, "disconnect", "Home")
        expect(one.process.poll() is None and two.process.wait(5) == 0, "the wrong one ended")
        home.expect(0, "disconnect")
        expect(one.process.wait(5) == 0, "the only one is still there")


@case("disconnect --all ends every tunnel")
def _(home):
    with Holder("Office") as one, Holder("Home") as two:
        home.expect(0, "disconnect", "--all")
        expect(one.process.wait(5) == 0 and two.process.wait(5) == 0, "one is still there")


@case("disconnect of what is not connected is done already")
def _(home):
    expect("No tunnel is up" in home.expect(0, "disconnect").err, "disconnect")
    shutil.copy(home.file("o.dialtone", GOOD), home.profiles)
    expect("not connected" in home.expect(0, "disconnect", "Office").err, "disconnect Office")


@case("others may not take a tunnel down")
def _(home):
    with Holder("Office") as holder:
        done = home.expect(10, "disconnect", "Office", user="nobody")
        expect("sudo dialtone disconnect" in done.err, done.err)
        home.expect(10, "renegotiate", "Office", user="nobody")
        expect(holder.process.poll() is None, "it ended")


@case("renegotiate sends SIGHUP, and the tunnel stays")
def _(home):
    with Holder("Office") as holder:
        home.expect(0, "renegotiate", "Office")
        expect(holder.next_line() == "SIGHUP", "no SIGHUP")
        expect(holder.process.poll() is None, "it ended")


@case("renegotiate without a tunnel ends with 11")
def _(home):
    shutil.copy(home.file("o.dialtone", GOOD), home.profiles)
    expect("not connected" in home.expect(11, "renegotiate", "Office").err, "renegotiate Office")
    expect("No tunnel is up" in home.expect(11, "renegotiate").err, "renegotiate")


@case("renegotiate without a name means the only tunnel, and refuses to choose among two")
def _(home):
    with Holder("Office") as holder:
        home.expect(0, "renegotiate")
        expect(holder.next_line() == "SIGHUP", "no SIGHUP")
        with Holder("Home"):
            expect("name a profile" in home.expect(2, "renegotiate").err, "among two")


# ---- what is installed beside the program ----
def source(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


@case("the manual names every command, option, state, reason and exit code")
def _(home):
    text = source("data", "man", "dialtone.1").replace("\\-", "-")
    for verb in VERBS:
        expect(f".It Cm {verb}\n" in text, verb)
        for option in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", home.expect(0, verb, "--help").out, re.M):
            if option in ("wait", "no-wait"):
                continue  # of the service, which this version has not
            expect(f"Fl Fl {option}\n" in text or f"Fl Fl {option} " in text, f"{verb} --{option}")
    for state in STATES:
        expect(state in text, state)
    for code, reason in enumerate(REASONS, 1):
        expect(f".It {code}\n{reason}: " in text, reason)


@case("the manuals are set without a warning")
def _(_home):
    if not shutil.which("groff"):
        raise Skip("groff is not installed")
    for page in [os.path.join(ROOT, "data", "man", name) for name in ("dialtone.1", "dialtone-policy.5")] + MANUALS:
        done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-wall", "-z", page], capture_output=True,
                              text=True, check=False)
        if "mdoc" in done.stderr and "can't" in done.stderr:
            raise Skip("groff has no mdoc macros")
        expect(done.returncode == 0 and not done.stderr, done.stderr)


@case("each command has a page of its own, with its options")
def _(home):
    pages = {os.path.basename(path): path for path in MANUALS}
    for verb in VERBS:
        with open(pages[f"dialtone-{verb}.1"], encoding="utf-8") as file:
            text = file.read().replace("\\-", "-")
        for option in re.findall(r"--([a-z-]+)", home.expect(0, verb, "--help").out):
            expect(option in ("help", "help-all") or f"Fl Fl {option}" in text, f"{verb} --{option}")
        expect(len(text.split(".Sh DESCRIPTION")[1]) > 150, f"{verb}: {text}")


@case("every key that show prints has its place in the manual of profiles")
def _(home):
    if not MANUALS:
        raise Skip("the manual was not built")
    with open(MANUALS[0], encoding="utf-8") as file:
        text = file.read()
    path = home.file("o.dialtone", GOOD)
    for group, keys in json.loads(home.expect(0, "show", "--all", "--json", path).out)["values"].items():
        expect(f".Ss [{group}]\n" in text, group)
        for key in keys:
            expect(f".It Cm {key} Ns = Ns" in text, key)
    expect("@KEYS@" not in text, "the keys were not put in")


@case("the shells complete every command")
def _(_home):
    for name in ("dialtone", "_dialtone", "dialtone.fish"):
        text = source("data", "completions", name)
        for verb in VERBS:
            expect(verb in text, f"{verb} in {name}")


PRIVATE = """[Profile]
Name=Secret Office
Description=the cellar in Amsterdam
UUID=6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11
[Gateway]
Address=vpn.corp.example;192.0.2.77;[2001:db8::77]:4500
RemoteID=fqdn:gw17.corp.example
[Identity]
ID=alice@corp.example
Auth=psk
[UserAuth]
User=alice.liddell
[Phase2]
Networks=198.51.100.0/24
"""
NEVER = ("Secret Office", "Amsterdam", "6f1c0f5e", "vpn.corp", "192.0.2.77", "2001:db8::77", "gw17", "alice",
         "liddell", "198.51.100", "hidden-name")


@case("bug-report shows what it saves, and tells of nobody who or where they are")
def _(home):
    home.file(os.path.join(home.profiles, "hidden-name.dialtone"), PRIVATE)
    done = home.expect(0, "bug-report")
    expect("Nothing was saved" in done.err and not glob.glob(f"{home.folder}/*report*"), done.err)
    path = os.path.join(home.folder, "report.txt")
    done = home.expect(0, "bug-report", "--yes", "--output", path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    expect(text.strip() == done.out.strip(), "what was shown is not what was saved")
    expect(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "others can read it")
    for word in NEVER:
        expect(word not in text, f"{word} is in {text}")
    # What is the same stays the same, and what is to be understood is there.
    expect("Auth=psk" in text and "<gateway-1>" in text and "<address-1>/24" in text, text)
    home.expect(1, "bug-report", "--yes", "--output", path)


# ---- profiles of the system ----
UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"


@contextlib.contextmanager
def system_files(**files):
    """Files below /etc/dialtone, by name with / as __, for as long as this lasts."""
    if not OWN_ETC:
        raise Skip("needs root, and an /etc to throw away")
    try:
        for name, content in files.items():
            path = os.path.join("/etc/dialtone", *name.split("__")) + ".dialtone" * ("profiles" in name)
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
            os.chmod(path, 0o644)
        yield
    finally:
        shutil.rmtree("/etc/dialtone", ignore_errors=True)


def override(home, content):
    folder = os.path.join(home.folder, "config", "dialtone", "overrides")
    os.makedirs(folder, exist_ok=True)
    return home.file(os.path.join(folder, f"{UUID}.dialtone"), content)


@case("a profile of one's own never takes the place of the system's, and is told why")
def _(home):
    shutil.copy(home.file("mine.dialtone", GOOD.replace("Office", "Mine")), home.profiles)
    with system_files(profiles__corp=GOOD):
        expect("# a profile of the administrator" in home.expect(0, "show", UUID).out, "the layer is not told")
        done = home.expect(3, "show", "Mine")
        expect("is not used: the system's /etc/dialtone/profiles/corp.dialtone has its UUID" in done.err, done.err)
        rows = {p["name"]: p for p in json.loads(home.expect(0, "list", "--json").out)["profiles"]}
        expect(rows["Mine"]["hidden"] and "has its UUID" in rows["Mine"]["why_hidden"], rows)
        expect(rows["Office"]["layer"] == "administrator" and rows["Office"]["allowed"], rows)


@case("a profile of the system that others can write to is listed, and used by nobody")
def _(home):
    with system_files(profiles__corp=GOOD, profiles__good=GOOD.replace("Office", "Good").replace(UUID[:4], "0000")):
        os.chmod("/etc/dialtone/profiles/corp.dialtone", 0o666)
        expect("corp.dialtone\thas mistakes" in home.expect(0, "list").out, "list")
        done = home.expect(3, "check", "corp")
        expect("others than its owner can write to it (mode 0666)" in done.err, done.err)
        home.expect(0, "check", "Good")


@case("list tells whom a profile is not for")
def _(home):
    with system_files(profiles__corp=GOOD + "[Access]\nUsers=no-such-user;daemon\n"):
        expect("not for you" in home.expect(0, "list", user="nobody").out, "nobody")
        expect("not for you" not in home.expect(0, "list", user="daemon").out, "daemon")


@case("what a user changes of a profile of the system is used, and what is locked is not")
def _(home):
    with system_files(profiles__corp=GOOD + "[Access]\nLock=Gateway\n"):
        path = override(home, "[Network]\nMTU=1300\n[Gateway]\nAddress=192.0.2.66\n")
        done = home.expect(0, "show", "Office")
        expect("MTU=1300\n" in done.out and "Address=192.0.2.1\n" in done.out, done.out)
        expect(f"# with what you changed in {path}\n" in done.out, done.out)
        expect(f"{path}:4: warning: [Gateway] Address: not changed: it is locked by the administrator in "
               "/etc/dialtone/profiles/corp.dialtone, line 10; remove the line" in done.err, done.err)
        home.expect(0, "check", "Office")
        found = json.loads(home.expect(0, "check", "--json", "Office").out)
        expect(found["override"] == path and found["issues"][0]["file"] == path, found)


@case("a mistake in what a user changed is told at its line")
def _(home):
    with system_files(profiles__corp=GOOD):
        path = override(home, "[Network]\nMUT=1300\n")
        for verb in ("show", "check"):
            done = home.expect(3, verb, "Office")
            expect(f"{path}:2: [Network] MUT: unknown key; did you mean MTU?" in done.err, done.err)


@case("without a policy nothing is forbidden, and policy says so")
def _(home):
    with system_files():
        done = home.expect(0, "policy")
        expect("/etc/dialtone/policy.conf is not there, so nothing is forbidden" in done.out, done.out)
        found = json.loads(home.expect(0, "policy", "--json").out)
        expect(found["schema"] == 1 and not found["present"] and found["user_profiles"], found)


@case("what the policy forbids is told with its line, and ends with 12")
def _(home):
    weak = home.file("weak.dialtone", GOOD + "[Phase1]\nProposals=aes256-sha1-modp1024\n")
    shutil.copy(weak, home.profiles)
    with system_files(**{"policy.conf": "[Policy]\nForbid=des;modp1024\nAlwaysOn=Nothing\n"}):
        line = ("/etc/dialtone/policy.conf:2: [Policy] Forbid: modp1024 is forbidden, and [Phase1] Proposals of the "
                "profile has it in aes256-sha1-modp1024")
        done = home.expect(12, "check", weak)
        expect(line in done.err and f"{weak}: valid" in done.out, done.out + done.err)
        found = json.loads(home.expect(12, "check", "--json", weak).out)
        expect(found["valid"] and found["policy"] == [line], found)
        home.expect(3, "check", weak, home.file("bad.dialtone", "x"))
        home.expect(12, "check", weak, home.file("good.dialtone", GOOD))
        done = home.expect(0, "policy")
        expect(f"# forbidden: Office: {line}\n" in done.out, done.out)
        expect("forbidden, see dialtone policy" in home.expect(0, "list").out, "list")
        expect("policy.conf:3: warning: [Policy] AlwaysOn: no profile of the system" in done.err, done.err)
        found = json.loads(home.expect(0, "policy", "--json").out)
        expect(found["forbid"] == ["des", "modp1024"] and found["profiles"][0]["forbidden"] == [line], found)
        expect(found["always_on"] == "Nothing" and found["always_on_uuid"] is None, found)
        again = home.file("again.conf", done.out)
        expect("[Policy]\nForbid=des;modp1024\n" in source(again), source(again))


@case("a policy with a mistake forbids a user's own profile, and names the mistake")
def _(home):
    path = home.file("good.dialtone", GOOD)
    with system_files(**{"policy.conf": "[Policy]\nWeakAlgoritms=no\n", "profiles__corp": GOOD}):
        mistake = "policy.conf:2: [Policy] WeakAlgoritms: unknown key; did you mean WeakAlgorithms?"
        done = home.expect(12, "policy")
        expect(mistake in done.err and "only profiles of the system may be used" in done.out, done.out + done.err)
        expect("until they are mended only profiles" in home.expect(12, "check", path).err, "a user's own")
        home.expect(0, "check", "Office")
        found = json.loads(home.expect(12, "policy", "--json").out)
        expect(found["broken"] and mistake in found["mistakes"][0] and not found["user_profiles"], found)


@case("users' own profiles can be forbidden, by a path too")
def _(home):
    path = home.file("mine.dialtone", GOOD)
    with system_files(**{"policy.conf": "[Policy]\nUserProfiles=no\n", "profiles__corp": GOOD}):
        done = home.expect(12, "check", path)
        expect("policy.conf:2: [Policy] UserProfiles: only profiles of the system" in done.err, done.err)
        home.expect(0, "check", "/etc/dialtone/profiles/corp.dialtone")


@case("the manual of the policy names its keys, and the algorithms that are left of a broken one")
def _(home):
    text = source("data", "man", "dialtone-policy.5")
    for key in ("WeakAlgorithms", "Forbid", "UserProfiles", "AlwaysOn"):
        expect(f".It Cm {key} Ns = Ns" in text, key)
    shown = json.loads(home.expect(0, "show", "--all", "--json", home.file("good.dialtone", GOOD)).out)["values"]
    words = set(re.split("[;-]", shown["Phase1"]["Proposals"] + ";" + shown["Phase2"]["Proposals"]))
    told = re.search(r"than the default ones:\n(.*)\.\n", text).group(1)
    expect(set(re.split(", | and ", told)) == words, f"{told} is not {words}")


# ---- TAP ----
OWN_ETC = False


def own_etc(libc):
    """An /etc for this process and its children alone, with the real one below; False: it can't be."""
    for name in ("upper", "work"):
        os.makedirs(f"/run/.etc/{name}")
    os.chmod("/run/.etc", 0o700)
    os.chmod("/run/.etc/upper", 0o755)
    options = b"lowerdir=/etc,upperdir=/run/.etc/upper,workdir=/run/.etc/work"
    return libc.mount(b"overlay", b"/etc", b"overlay", 0, options) == 0 and not os.path.exists("/etc/dialtone")


def own_run():
    """An empty /run for this process and its children alone."""
    global OWN_ETC  # pylint: disable=global-statement
    libc = ctypes.CDLL(None, use_errno=True)
    new_namespace, private_recursive = 0x00020000, 0x40000 | 0x4000
    if libc.unshare(new_namespace) != 0 or \
            libc.mount(b"none", b"/", None, private_recursive, None) != 0 or \
            libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, b"mode=0755") != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace")
    OWN_ETC = own_etc(libc)


def main():
    if os.geteuid() == 0:
        own_run()
    print(f"1..{len(CASES)}")
    failed = False
    for number, (name, function) in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            try:
                function(Home(folder))
                print(f"ok {number} - {name}")
            except Skip as why:
                print(f"ok {number} - {name} # SKIP {why}")
            except Exception as error:  # pylint: disable=broad-except
                failed = True
                print(f"not ok {number} - {name}")
                print("\n".join(f"# {line}" for line in f"{type(error).__name__}: {error}".splitlines()))
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())
