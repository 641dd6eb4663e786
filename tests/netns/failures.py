#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 400 s
"""Each failure ends with the contract's exit code, its reason, and advice that helps."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import CALLER, Dialtone, binary, check_failed, profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import Failure, expect, wait_until  # noqa: E402
import ctypes  # noqa: E402
import errno  # noqa: E402
import re  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
import time  # noqa: E402

USERS = {"carol": "carol's password"}
PIDFD_GETFD = 438  # the system call


def note(event, took=None):
    """Shows what a user reads, for whoever reads the test's output."""
    said = f"{event['message']} {event['advice']}".replace("\n", " | ")
    print(f"# {'' if took is None else f'after {took:.1f} s: '}{said}")


def ends(client, code, reason, seconds, *words):
    """Runs a client to its end; returns what `failed` said and how long it took."""
    before = client.lab.client_network()
    begin = time.monotonic()
    client.start()
    ended = client.wait_exit(seconds)
    took = time.monotonic() - begin
    expect(ended == code, f"it ended with {ended}, not {code}: {client.events} {client.stderr()[-600:]}")
    event = client.events[-1]
    expect(event["state"] == "failed", f"the last state is {event}")
    check_failed(event, reason)
    said = f"{event['message']} {event['advice']}"
    for word in words:
        expect(word in said, f"neither message nor advice names {word}: {said}")
    changes = client.lab.network_changes(before)
    expect(not changes, f"the network is not as it was: {changes}")
    return event, took


def ends_with_gateway(lab, connection, client, code, reason, *words, seconds=10):
    with Gateway(lab, connection):
        return ends(client, code, reason, seconds, *words)


@case("a wrong preshared key ends with 7")
def _(lab):
    event, took = ends_with_gateway(lab, Connection("alice@example.com", psk="another"),
                                    Dialtone(lab, profile()), 7, "gateway-authentication", "PSK")
    note(event, took)


@case("an ID that the gateway does not know ends with 7")
def _(lab):
    event, _ = ends_with_gateway(lab, Connection("bob@example.com"), Dialtone(lab, profile()),
                                 7, "gateway-authentication")
    note(event)


@case("a gateway with another ID than RemoteID ends with 7")
def _(lab):
    ends_with_gateway(lab, Connection("alice@example.com"),
                      Dialtone(lab, profile(Gateway__RemoteID="fqdn:other.example.com")),
                      7, "gateway-authentication", "RemoteID")


@case("a wrong password ends with 8")
def _(lab):
    event, _ = ends_with_gateway(lab, Connection("alice@example.com", users=USERS),
                                 Dialtone(lab, profile(), secrets_text(User="carol", Password="wrong")),
                                 8, "user-authentication")
    note(event)


@case("no common proposal ends with 6 and says what was offered")
def _(lab):
    event, _ = ends_with_gateway(
        lab, Connection("alice@example.com", proposals="aes256-sha512-modp4096"),
        Dialtone(lab, profile(proposals="aes256-sha256-modp2048;aes128-sha1-modp1024")),
        6, "no-proposal-chosen", "aes256-sha256-modp2048", "aes128-sha1-modp1024", seconds=20)
    note(event)


@case("no common Phase 2 proposal ends with 9")
def _(lab):
    event, _ = ends_with_gateway(lab, Connection("alice@example.com", esp="aes256gcm16"),
                                 Dialtone(lab, profile(phase2="3des-sha1")), 9, "phase2-refused", "3des-sha1",
                                 seconds=20)
    note(event)


@case("a refusal of Phase 2 that is lost on its way is learned by asking anew: the same 9")
def _(lab):
    """strongSwan says it once: 76 bytes, a marker and UDP's header."""
    lab.drop_at("client", "udp sport 4500 udp length 88 limit rate 1/day burst 1 packets")
    client = Dialtone(lab, profile(phase2="3des-sha1"))
    event, took = ends_with_gateway(lab, Connection("alice@example.com", esp="aes256gcm16"), client,
                                    9, "phase2-refused", "accepts none of the Phase 2 proposals", seconds=15)
    said = lab.read_log("gateway.log").count("sending NO_PROPOSAL_CHOSEN")
    expect(said == 2, f"the gateway refused {said} times")
    note(event, took)


@case("a gateway that never answers ends with 5 in at most 15 s")
def _(lab):
    lab.drop_at("gateway", "meta l4proto udp")
    event, took = ends(Dialtone(lab, profile()), 5, "unreachable", 17)
    note(event, took)
    expect(took <= 15, f"it took {took:.1f} s")


@case("two addresses that never answer share nothing: 15 s each at most")
def _(lab):
    lab.drop_at("gateway", "meta l4proto udp")
    _, took = ends(Dialtone(lab, profile(address="203.0.113.2;203.0.113.77")), 5, "unreachable", 33)
    expect(took <= 30.5, f"it took {took:.1f} s")


@case("the second address is tried when the first is silent")
def _(lab):
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile(address="203.0.113.77;203.0.113.2"))
        client.start()
        client.wait_state("connected", 20)
        client.disconnect()


@case("a name that does not resolve ends with 5")
def _(lab):
    lab.serve_names("vpn.example.com=203.0.113.2")
    event, took = ends(Dialtone(lab, profile(address="no-such-name.example.com")), 5, "unreachable", 15,
                       "no-such-name.example.com")
    note(event, took)


@case("a name that resolves is connected to")
def _(lab):
    lab.serve_names("vpn.example.com=203.0.113.2")
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile(address="vpn.example.com"))
        client.connect()
        client.disconnect()


# ---- files ----
GOOD = """[Gateway]
Address=203.0.113.2
[Identity]
ID=alice@example.com
Auth=psk
[Phase1]
Proposals=aes128-sha1-modp1024
[Phase2]
Proposals=aes128-sha1
"""

# what is wrong, line of the good profile to replace (None: append), its replacement, line named
WRONG = [
    ("an IP address for an ID", 4, "ID=10.1.2.3", 4),
    ("an unknown key", 2, "Address=203.0.113.2\nAdress=203.0.113.3", 3),
    ("an unknown group", None, "[Phase3]\nProposals=x", 10),
    ("a key twice", 2, "Address=203.0.113.2\nAddress=203.0.113.3", 3),
    ("a group twice", None, "[Identity]\nAuth=psk", 10),
    ("five Phase 1 proposals", 7, "Proposals=" + ";".join(["aes128-sha1-modp1024"] * 5), 7),
    ("an unknown cipher", 7, "Proposals=aes512-sha1-modp1024", 7),
    ("an unknown hash", 7, "Proposals=aes128-sha3-modp1024", 7),
    ("an unknown group of Diffie-Hellman", 7, "Proposals=aes128-sha1-modp1000", 7),
    ("a proposal without a group", 7, "Proposals=aes128-sha1", 7),
    ("GCM in Phase 1", 7, "Proposals=aes128gcm16-sha256-modp2048", 7),
    ("an unknown word", None, "[UserAuth]\nXAuth=maybe", 11),
    ("a lifetime that is none", 7, "Proposals=aes128-sha1-modp1024\nLifetime=soon", 8),
    ("a network that is none", 9, "Proposals=aes128-sha1\nNetworks=10.0.0.0/40", 10),
    ("a line that is neither", 2, "Address=203.0.113.2\nhello", 3),
    ("a key before any group", 1, "Name=x\n[Gateway]", 1),
    ("bytes that are not UTF-8", 2, b"Address=203.0.113.2\n# caf\xe9", 3),
    ("a port that is none", 2, "Address=203.0.113.2:99999", 2),
    ("an authentication that does not exist", 5, "Auth=magic", 5),
]


def spoilt(line, replacement):
    lines = GOOD.encode().split(b"\n")[:-1]
    new = replacement if isinstance(replacement, bytes) else replacement.encode()
    if line is None:
        lines.append(new)
    else:
        lines[line - 1] = new
    return b"\n".join(lines) + b"\n"


def as_caller(lab, *argv):
    """Runs a command in the client's node as the ordinary user; returns the finished process."""
    command = lab.inside("client", "setpriv", f"--reuid={CALLER}", f"--regid={CALLER}",
                         "--clear-groups", *argv)
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)


@case("the good profile that the wrong ones are made of is accepted")
def _(lab):
    client = Dialtone(lab, GOOD)
    done = as_caller(lab, binary(), "check", client.profile)
    expect(done.returncode == 0, f"check ended with {done.returncode}: {done.stderr.decode()}")


def wrong_profile(title, line, replacement, named):
    @case(f"a profile with {title} ends with 3 and names the line")
    def _(lab):
        client = Dialtone(lab, "")
        with open(client.profile, "wb") as file:
            file.write(spoilt(line, replacement))
        done = as_caller(lab, binary(), "check", client.profile)
        said = (done.stderr + done.stdout).decode("utf-8", "replace")
        expect(done.returncode == 3, f"check ended with {done.returncode}: {said}")
        where = re.escape(os.path.basename(client.profile)) + f":{named}: "
        expect(re.search(where, said), f"line {named} is not named: {said}")
        client.start()
        code = client.wait_exit(5)
        expect(code == 3, f"connect ended with {code}: {client.stderr()}")
        check_failed(client.events[-1], "profile-invalid")


for wrong in WRONG:
    wrong_profile(*wrong)


@case("a profile with neither a preshared key nor a certificate is refused by check")
def _(lab):
    client = Dialtone(lab, GOOD.replace("Auth=psk\n", ""))
    done = as_caller(lab, binary(), "check", client.profile)
    expect(done.returncode == 3, f"check ended with {done.returncode}: {done.stderr.decode()}")


@case("a profile without an ID, an address or proposals ends with 3")
def _(lab):
    for group, key in (("Gateway", "Address"), ("Identity", "ID")):
        groups = profile()
        del groups[group][key]
        client = Dialtone(lab, profile_text(groups), name=key)
        done = as_caller(lab, binary(), "check", client.profile)
        expect(done.returncode == 3, f"without {key}: {done.returncode} {done.stderr.decode()}")
        expect(key in done.stderr.decode(), f"{key} is not named: {done.stderr.decode()}")


@case("no such profile ends with 3")
def _(lab):
    client = Dialtone(lab, profile())
    client.profile = os.path.join(lab.folder, "no-such.dialtone")
    client.start()
    expect(client.wait_exit(5) == 3, f"{client.events} {client.stderr()}")


def bad_secrets(title, spoil):
    @case(f"a secrets file {title} ends with 3")
    def _(lab):
        client = Dialtone(lab, profile())
        spoil(client)
        client.start()
        code = client.wait_exit(5)
        expect(code == 3, f"it ended with {code}: {client.stderr()}")
        check_failed(client.events[-1], "profile-invalid")
        said = client.stderr() + client.events[-1]["message"]
        expect("secrets" in said, f"the file is not named: {said}")


def with_secrets(text):
    def spoil(client):
        with open(client.secrets, "w", encoding="utf-8") as file:
            file.write(text)
    return spoil


bad_secrets("readable by others", lambda c: os.chmod(c.secrets, 0o644))
bad_secrets("readable by the group", lambda c: os.chmod(c.secrets, 0o640))
bad_secrets("of another user", lambda c: os.chown(c.secrets, 4343, 4343))
bad_secrets("that is not there", lambda c: os.unlink(c.secrets))
bad_secrets("with half a byte", with_secrets("[Secrets]\nPSK=0x123\n"))
bad_secrets("with a byte that is none", with_secrets("[Secrets]\nPSK=0x12zz\n"))
bad_secrets("with an unknown key", with_secrets("[Secrets]\nPSK=x\nPassphrse=y\n"))


@case("B6: a secret that is nowhere ends with 4")
def _(lab):
    client = Dialtone(lab, profile(Identity__Auth="psk"), "[Secrets]\nUser=carol\n")
    client.start()
    code = client.wait_exit(10)
    expect(code == 4, f"it ended with {code}: {client.stderr()}")
    check_failed(client.events[-1], "secret-missing")


@case("without privileges connect ends with 10")
def _(lab):
    client = Dialtone(lab, profile())
    done = as_caller(lab, binary(), "connect", "--standalone", "--json", "--secrets", client.secrets,
                     client.profile)
    expect(done.returncode == 10, f"{done.returncode}: {done.stderr.decode()}")


# Runs a command in which processes can't be made, as where a control group allows no more.
WITHOUT_FORK = """
import ctypes, errno, os, sys
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
allow, refuse = 0x7fff0000, 0x00050000 | errno.EAGAIN
rules = ctypes.c_void_p(seccomp.seccomp_init(allow))
for call in (b"clone", b"fork", b"vfork"):
    seccomp.seccomp_rule_add(rules, refuse, seccomp.seccomp_syscall_resolve_name(call), 0)
if seccomp.seccomp_load(rules) != 0:
    sys.exit("no filter")
os.execv(sys.argv[1], sys.argv[1:])
"""


@case("where no process can be made, that is said, and it ends with 1")
def _(lab):
    client = Dialtone(lab, profile())
    client.wrapper = ["/usr/bin/python3", "-c", WITHOUT_FORK]
    ends(client, 1, "internal", 5, os.strerror(errno.EAGAIN))


def socket_to_tunnel(pid):
    """The agent's own, which root may take a copy of."""
    get = ctypes.CDLL(None, use_errno=True).syscall
    for fd in os.listdir(f"/proc/{pid}/fd"):
        copy = get(PIDFD_GETFD, os.pidfd_open(pid), int(fd), 0)
        if copy < 0 or not os.path.exists(f"/proc/self/fd/{copy}") or \
                not os.readlink(f"/proc/self/fd/{copy}").startswith("socket:"):
            continue
        found = socket.socket(fileno=copy)
        if found.type & socket.SOCK_SEQPACKET == socket.SOCK_SEQPACKET:
            return found
    raise Failure(f"{pid} has no socket of packets")


for number, title in ((2, "secrets"), (8, "certificates")):
    @case(f"{title} that the tunnel can't read end it with 1, and with a word")
    def _(lab, number=number):
        with Gateway(lab, Connection("alice@example.com")) as gateway:
            client = Dialtone(lab, profile())
            client.connect()
            socket_to_tunnel(client.agent_pid()).send(bytes([number]) + b"no such thing")
            expect(client.wait_exit(15) == 1, f"it did not end with 1: {client.events}")
            check_failed(client.events[-1], "internal")
            expect("idle" not in client.states(), f"{client.states()}")
            wait_until(lambda: not gateway.ike_sas(), 5, "the gateway heard the DELETE")


@case("a wrong command line ends with 2")
def _(lab):
    for words in (["connect", "--no-such-option"], ["no-such-verb"], ["connect"], []):
        done = as_caller(lab, binary(), *words)
        expect(done.returncode == 2, f"{words}: {done.returncode}")


@case("--help and --version end with 0")
def _(lab):
    for words in (["--help"], ["--version"], ["connect", "--help"], ["check", "--help"]):
        done = as_caller(lab, binary(), *words)
        expect(done.returncode == 0 and done.stdout, f"{words}: {done.returncode} {done.stderr.decode()}")


@case("SIGTERM while connecting ends with 0")
def _(lab):
    lab.drop_at("gateway", "meta l4proto udp")
    before = lab.client_network()
    client = Dialtone(lab, profile())
    client.start()
    client.wait_state("phase1", 5)
    client.disconnect()
    changes = lab.network_changes(before)
    expect(not changes, f"the network is not as it was: {changes}")


main()
