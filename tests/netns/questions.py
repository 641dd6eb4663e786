#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 300 s, full: 300 s
"""What a gateway asks a user, and who answers: a person at a terminal, a file, or a command."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

import json  # noqa: E402
import terminal  # noqa: E402
from cases import case, main  # noqa: E402
from client import CALLER, Dialtone, binary, check_failed, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from served import Served  # noqa: E402

PSK = "correct horse battery staple"
INNER = "10.10.0.9"  # any inner address of a served gateway answers echo requests
WRONG, RIGHT = "000000", "123456"
ACCOUNT = {"User": "carol", "Password": "carol-password"}


def dialtone(lab, secrets=None, **more):
    settings = {"Phase2__Networks": "10.10.0.0/24", "UserAuth__XAuth": "required", **more}
    return Dialtone(lab, profile(**settings), secrets)


def refused(gateway):
    return gateway.text().count("xauth-refused")


# ---- the terminal itself ----
@case("a window that is closed ends its tunnel: the gateway is told and the network put back")
def _(lab):
    lab.serve_office()
    before = lab.client_network()
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client = Dialtone(lab, profile())
        window = terminal.connect(lab, client, "--secrets", client.secrets)
        window.wait_text("connected")
        expect_ping(lab, lab.sites[0].host)
        window.close()
        wait_until(lambda: not gateway.ike_sas(), 5, "the gateway heard the DELETE")
        wait_until(lambda: not lab.network_changes(before), 5, "the network is as it was")


@case("a closed window leaves alone what says its words elsewhere")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile())
        log = os.path.join(lab.folder, "nohup.log")
        through = ["env", "-C", lab.folder, "nohup", "sh", "-c", 'exec "$@" 2>"$0"', log]
        window = terminal.connect(lab, client, "--secrets", client.secrets, through=through)
        wait_until(lambda: "connected" in lab.read_log("nohup.log"), 10, "connected")
        window.close()
        expect_ping(lab, lab.sites[0].host, count=5)
        lab.run("client", binary(), "disconnect", "--all")


@case("A25: a gateway's words forge no line of ours")
def _(lab):
    forged = "connected: dialtone0 to a better office"
    with Served(lab, "srx", "--welcome", f"Good morning\n{forged}\r\n{forged}"):
        client = dialtone(lab, secrets_text(**ACCOUNT))
        client.start().wait_state("connected")
        client.disconnect()
    lines = client.stderr().splitlines()
    expect(any(line.startswith("The gateway says: Good morning ") for line in lines), f"{lines}")
    expect(not any(line.startswith(forged) for line in lines), f"{lines}")


# ---- a person ----
@case("on a terminal: a wrong code in the second round, then the right one")
def _(lab):
    with Served(lab, "fortitoken") as gateway:
        client = dialtone(lab, secrets_text(**ACCOUNT))
        window = terminal.connect(lab, client, "--secrets", client.secrets)
        window.wait_text("One-time code:")
        expect("Enter your token" in window.text(), f"the gateway's words are missing:\n{window.text()}")
        window.type(WRONG)
        window.wait_text("One-time code:", times=2)
        expect(refused(gateway) == 1, gateway.text())
        window.type(RIGHT)
        window.wait_text("(Ctrl-C ends the tunnel.)")
        expect_ping(lab, INNER)
        shown = window.text()
        expect(WRONG not in shown and RIGHT not in shown, f"a code is shown:\n{shown}")
        window.press("C-c")
        expect(window.wait_exit() == 0, "the exit code is not 0")
        expect(refused(gateway) == 1, "something was refused twice")


@case("on a terminal: key, name, password and code are asked for, and a key that is none once more")
def _(lab):
    with Served(lab, "fortitoken"):
        client = dialtone(lab, Secrets__PSK="ask")
        window = terminal.connect(lab, client)
        window.wait_text("Preshared key of Office:")
        window.type("0xabc")
        window.wait_text("Preshared key of Office:", times=2)
        expect("That is no preshared key: 0x begins bytes" in window.text(), window.text())
        window.type("0x" + PSK.encode().hex())
        window.wait_text("User name:")
        window.type("carol")
        window.wait_text("Password:")
        window.type("carol-password")
        window.wait_text("One-time code:")
        window.type(RIGHT)
        window.wait_text("connected")
        window.press("C-c")
        expect(window.wait_exit() == 0, "the exit code is not 0")
        expect("carol-password" not in window.text(), "the password is shown")


@case("on a terminal: a wrong password and then the right one, and only the wrong one is refused")
def _(lab):
    with Served(lab, "srx", "--set", "xauth_retries=2") as gateway:
        client = dialtone(lab, secrets_text(User="carol", Password="mistyped"))
        window = terminal.connect(lab, client, "--secrets", client.secrets)
        window.wait_text("The gateway did not accept that.")
        window.wait_text("Password of carol:")
        expect(refused(gateway) == 1, gateway.text())
        window.type("carol-password")
        window.wait_text("connected")
        window.press("C-c")
        expect(window.wait_exit() == 0 and refused(gateway) == 1, gateway.text())


@case("status says that one's own tunnel waits for an answer, to its user too")
def _(lab):
    client = dialtone(lab, Secrets__PSK="ask")
    window = terminal.connect(lab, client)
    window.wait_text("Preshared key of Office:")
    user = ["setpriv", f"--reuid={CALLER}", f"--regid={CALLER}", "--clear-groups"]
    for who in ([], user):
        said = lab.run("client", *who, binary(), "status", "Office")
        expect("needs-secrets" in said, f"{who or 'root'} is told {said}")
    window.press("C-c")
    expect(window.wait_exit() == 0, window.text())


@case("on a terminal: what is told while a question is open leaves it open")
def _(lab):
    with Served(lab, "fortitoken"):
        client = dialtone(lab, secrets_text(**ACCOUNT))
        window = terminal.connect(lab, client, "--secrets", client.secrets)
        window.wait_text("One-time code:")
        window.type(RIGHT)
        window.wait_text("(Ctrl-C ends the tunnel.)")
        lab.run("client", binary(), "renegotiate", client.profile)
        window.wait_text("One-time code:", times=2)
        lab.ip("client", "link", "del", "dialtone0")
        window.wait_text("was taken away; it is set up again")
        window.wait_text("One-time code:", times=3)
        window.type(RIGHT)
        expect_ping(lab, INNER, count=5)
        window.press("C-c")
        expect(window.wait_exit() == 0, f"the exit code is not 0:\n{window.text()}")


@case("on a terminal: an empty line gives up, and that ends with 4")
def _(lab):
    with Served(lab, "fortitoken"):
        client = dialtone(lab, secrets_text(**ACCOUNT))
        window = terminal.connect(lab, client, "--secrets", client.secrets)
        window.wait_text("One-time code:")
        window.type("")
        expect(window.wait_exit() == 4, f"another exit code than 4:\n{window.text()}")


# ---- a file ----
def headless(lab, codes):
    secrets = secrets_text(**ACCOUNT) + "".join(f"Passcode={code}\n" for code in codes)
    client = dialtone(lab, secrets)
    return client.start()


@case("headless: each code of the secrets file is used once, in their order")
def _(lab):
    with Served(lab, "fortitoken") as gateway:
        client = headless(lab, [WRONG, RIGHT])
        client.wait_state("connected")
        expect_ping(lab, INNER)
        client.disconnect()
        expect(refused(gateway) == 1, gateway.text())


@case("headless: a code that was refused is not sent again; that ends with 8")
def _(lab):
    with Served(lab, "fortitoken") as gateway:
        client = headless(lab, [WRONG])
        check_failed(client.wait_state("failed"), "user-authentication")
        expect(client.wait_exit() == 8 and refused(gateway) == 1, gateway.text())


@case("headless: a code that nobody has ends with 4")
def _(lab):
    with Served(lab, "fortitoken") as gateway:
        client = headless(lab, [])
        check_failed(client.wait_state("failed"), "secret-missing")
        expect(client.wait_exit() == 4 and refused(gateway) == 0, gateway.text())


@case("headless: a refused password is not sent again, however often the gateway asks")
def _(lab):
    with Served(lab, "srx", "--set", "xauth_retries=5") as gateway:
        client = dialtone(lab, secrets_text(User="carol", Password="wrong")).start()
        check_failed(client.wait_state("failed"), "user-authentication")
        expect(client.wait_exit() == 8 and refused(gateway) == 1, gateway.text())


# ---- a command ----
class Command:
    """A program that notes what it is asked and who it is, and says one answer after the other."""

    SCRIPT = """#!/bin/sh
cd "$(dirname "$0")" || exit 1
cat >>questions
printf '%s\\n' "$(id -u) $# $1 $HOME" >>callers
answer=$(head -n 1 answers)
[ -n "$answer" ] || exit 3
sed -i 1d answers
printf '%s\\nnot the answer\\n' "$answer"
"""

    def __init__(self, client, answers):
        self.folder = os.path.join(client.folder, "command")
        os.makedirs(self.folder)
        self.path = os.path.join(self.folder, "ask")
        for name, text in (("ask", self.SCRIPT), ("answers", "".join(f"{a}\n" for a in answers))):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
            os.chown(file.name, CALLER, CALLER)
        os.chown(self.folder, CALLER, CALLER)
        os.chmod(self.path, 0o700)

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read().splitlines()

    def questions(self):
        return [json.loads(line) for line in self.read("questions")]


@case("a command: a wrong code and then the right one, asked as the user, without a shell")
def _(lab):
    with Served(lab, "fortitoken") as gateway:
        client = dialtone(lab, secrets_text(**ACCOUNT))
        command = Command(client, [WRONG, RIGHT])
        client.start("--ask-command", command.path, "--ask-argument", "$(id) 'quoted'")
        client.wait_state("connected")
        expect_ping(lab, INNER)
        client.disconnect()
        expect(refused(gateway) == 1, gateway.text())
        first, second = command.questions()
        expect(first == {"schema": 1, "profile": "Office", "kind": "password", "user": "carol",
                         "message": "Enter your token", "challenge": "", "secret": True, "once": True,
                         "again": False}, f"the question was {first}")
        expect(second == {**first, "again": True}, f"the second question was {second}")
        expect(command.read("callers")[0].startswith(f"{CALLER} 1 $(id) 'quoted' "),
               f"it was called as {command.read('callers')}")


@case("a command that says the same wrong code for ever is heard once")
def _(lab):
    with Served(lab, "fortitoken", "--set", "xauth_retries=9") as gateway:
        client = dialtone(lab, secrets_text(**ACCOUNT))
        command = Command(client, [WRONG] * 9)
        client.start("--ask-command", command.path)
        check_failed(client.wait_state("failed"), "user-authentication")
        expect(client.wait_exit() == 8 and refused(gateway) == 1, gateway.text())
        expect(len(command.questions()) == 2, f"asked {command.questions()}")


@case("a command that repeats the file's refused password is not believed")
def _(lab):
    with Served(lab, "srx", "--set", "xauth_retries=9") as gateway:
        client = dialtone(lab, secrets_text(User="carol", Password="wrong"))
        command = Command(client, ["wrong"])
        client.start("--ask-command", command.path)
        expect(client.wait_exit() == 8 and refused(gateway) == 1, gateway.text())


@case("a command gives key, name and password from the start")
def _(lab):
    with Served(lab, "srx"):
        client = dialtone(lab, Secrets__PSK="ask")
        command = Command(client, [PSK, "carol", "carol-password"])
        client.secrets = client._file("empty", "[Secrets]\nPassphrase=none\n", 0o600)
        client.start("--ask-command", command.path)
        client.wait_state("connected")
        client.disconnect()
        kinds = [question["kind"] for question in command.questions()]
        expect(kinds == ["psk", "user", "password"], f"it was asked for {kinds}")


@case("a command that has no answer, or is not there, ends with 4 and says so")
def _(lab):
    with Served(lab, "fortitoken"):
        client = dialtone(lab, secrets_text(**ACCOUNT))
        for path, words in ((Command(client, []).path, "it ended with 3"),
                            ("/nonexistent/ask", "No such file")):
            client.events.clear()
            client.start("--ask-command", path)
            check_failed(client.wait_state("failed"), "secret-missing")
            expect(client.wait_exit() == 4, "the exit code is not 4")
            expect(words in client.stderr(), f"it said {client.stderr()}")


main()
