#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""Every exit code and reason of the contract is reached, and the words that a user then reads are
compared, to the letter. The list is ROWS; the unit test of client/tunnel/failure has those that no
gateway here can be brought to say."""

import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import CASES, case, main  # noqa: E402
from client import CALLER, Dialtone, binary, check_failed, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect  # noqa: E402
import subprocess  # noqa: E402

ALICE = "alice@example.com"
USERS = {"carol": "carol's password"}
REASONS = ["internal", "usage", "profile-invalid", "secret-missing", "unreachable", "no-proposal-chosen",
           "gateway-authentication", "user-authentication", "phase2-refused", "not-permitted",
           "tunnel-lost", "policy"]


# ---- how each is reached: a function of the lab that gives a client, not yet started ----
def against(connection, groups=None, secrets=None):
    """A client of strongSwan with one connection."""
    def arrange(lab):
        Gateway(lab, connection).up()
        return Dialtone(lab, groups or profile(), secrets)
    return arrange


def alone(groups, secrets=None):
    return lambda lab: Dialtone(lab, groups, secrets)


def silent(groups):
    def arrange(lab):
        lab.drop_at("gateway", "meta l4proto udp")
        return Dialtone(lab, groups)
    return arrange


def nameless(lab):
    lab.serve_names("vpn.example.com=203.0.113.2")
    return Dialtone(lab, profile(address="no-such-name.example.com"))


def lost(lab):
    """It was up, and then the gateway is gone for longer than the profile waits."""
    gateway = Gateway(lab, Connection(ALICE)).up()
    client = Dialtone(lab, profile(Network__RetryFor="3s"))
    client.connect()
    known = len(client.events)
    gateway.terminate()
    client.wait_state("reconnecting", 5, after=known)  # its DELETE was on its way yet
    gateway.kill()
    return client


def openssl_in_fips_mode(lab):
    path = os.path.join(lab.folder, "fips.cnf")
    with open(path, "w", encoding="ascii") as file:
        file.write("openssl_conf = init\n[init]\nalg_section = algs\n[algs]\ndefault_properties = fips=yes\n")
    client = Dialtone(lab, profile())
    client.environment["OPENSSL_CONF"] = path
    return client


def kernel_in_fips_mode(lab):
    """The flag in a /proc/sys of the client's own: the kernel that runs this may have none."""
    client = Dialtone(lab, profile())
    client.wrapper = ["/bin/sh", "-ec", 'mount -t tmpfs tmpfs /proc/sys; mkdir /proc/sys/crypto; '
                      'echo 1 > /proc/sys/crypto/fips_enabled; exec "$@"', "sh"]
    return client


# ---- code, title, how, the sentence, what the advice has ----
ROWS = [
    (3, "an IP address for an ID", alone(profile(identity="10.1.2.3")),
     r".*office\.dialtone:8: \[Identity\] ID: an IP address can't be the ID of a dialup client; write the email "
     r"address or host name that the gateway knows, or keyid:GROUP",
     ["`dialtone check FILE`"]),
    (4, "a preshared key that nobody has", alone(profile(Identity__Auth="psk"), "[Secrets]\nUser=carol\n"),
     r"The preshared key is not known, and nobody gave it\.", ["--secrets FILE"]),
    (5, "a name that does not exist", nameless,
     r"There is no computer with the name no-such-name\.example\.com\.", ["[Gateway] Address"]),
    (5, "a gateway that is silent", silent(profile()),
     r"The gateway 203\.0\.113\.2 does not answer\.", ["UDP port 500 is blocked", "[Identity] ID", "dialtone diagnose Office"]),
    (5, "a gateway that is silent on a port of its own", silent(profile(address="203.0.113.2:4501")),
     r"The gateway 203\.0\.113\.2 does not answer\.", ["UDP port 4501 is blocked"]),
    (6, "proposals that the gateway refuses", against(Connection(ALICE, proposals="aes256-sha512-modp4096")),
     r"The gateway 203\.0\.113\.2 accepts none of the Phase 1 proposals that were offered\.",
     ["Offered in attempt 1: aes128-sha1-modp1024", "set security ike proposal dialtone-1",
      "set security ike policy POLICY proposals [ dialtone-1 ]", "proposals = aes128-sha1-modp1024",
      "[UserAuth] User=", "dialtone diagnose Office"]),
    (7, "a wrong preshared key", against(Connection(ALICE, psk="another")),
     r"The preshared key is not the one that the gateway 203\.0\.113\.2 has for your ID\.",
     ["The hash in the gateway's answer does not match", "[Secrets] PSK", "that of alice@example.com"]),
    (7, "an ID that the gateway does not know", against(Connection("bob@example.com")),
     r"The gateway 203\.0\.113\.2 does not know your ID, or has another key for it\.",
     ["user-at-hostname alice@example.com", "dynamic hostname", "write [UserAuth] User="]),
    (7, "a gateway that wants a user of a profile without one", against(Connection(ALICE, users=USERS)),
     r"The gateway 203\.0\.113\.2 does not know your ID, or has another key for it\.",
     ["write [UserAuth] User="]),
    (7, "a gateway that is another than RemoteID",
     against(Connection(ALICE), profile(Gateway__RemoteID="fqdn:other.example.com")),
     r"The gateway 203\.0\.113\.2 calls itself fqdn:gw\.example\.com, which is not the one that the profile expects\.",
     ["RemoteID", "no password was sent"]),
    (8, "a wrong password", against(Connection(ALICE, users=USERS), None, secrets_text(User="carol", Password="x")),
     r"The gateway 203\.0\.113\.2 refused the user name or the password\.", ["not tried again by itself"]),
    (9, "Phase 2 proposals that the gateway refuses",
     against(Connection(ALICE, esp="aes256gcm16"), profile(phase2="3des-sha1")),
     r"The gateway 203\.0\.113\.2 accepts none of the Phase 2 proposals that were offered\.",
     ["set security ipsec proposal dialtone-1", "[Phase2] Proposals", "esp_proposals = 3des-sha1"]),
    (9, "a network that the gateway does not protect",
     against(Connection(ALICE), profile(Phase2__Networks="192.168.77.0/24")),
     r"The gateway 203\.0\.113\.2 does not let you reach the network.*", ["[Phase2] Networks"]),
    (11, "a gateway that does not come back", lost,
     r"The tunnel was lost and did not come back in the time of \[Network\] RetryFor\. The gateway .*",
     ["administrator"]),
    (12, "OpenSSL in FIPS mode", openssl_in_fips_mode,
     r"This computer is in FIPS mode \(OpenSSL's configuration\), which forbids IKEv1 in aggressive mode\.",
     ["IKEv2"]),
    (12, "a kernel in FIPS mode", kernel_in_fips_mode,
     r"This computer is in FIPS mode \(the kernel's flag fips_enabled\), which forbids IKEv1 in aggressive mode\.",
     ["IKEv2"]),
]


def row(code, title, arrange, sentence, advice):
    @case(f"{code}: {title}")
    def _(lab):
        client = arrange(lab)
        if client.process is None:
            client.start()
        ended = client.wait_exit(20)
        expect(ended == code, f"it ended with {ended}: {client.events[-1:]} {client.stderr()[-600:]}")
        event = client.events[-1]
        check_failed(event, REASONS[code - 1])
        print(f"# {event['message']}\n# " + event["advice"].replace("\n", "\n#   "))
        expect(re.fullmatch(sentence, event["message"]), f"the sentence is: {event['message']}")
        for words in advice:
            expect(words in event["advice"], f"the advice does not say '{words}': {event['advice']}")
        said = client.stderr()
        expect(event["message"] in said and event["advice"] in said, f"a terminal reads otherwise: {said}")


for one in ROWS:
    row(*one)


# ---- those that no tunnel is needed for: code, words, the lines that are read ----
LINES = [
    (1, ["connect", "office"], [r"failed: The service is not there\.",
                                r"Run it without the service: sudo dialtone connect --standalone PROFILE"]),
    (2, ["connect", "--no-such-option"], [r"dialtone connect: Unknown option --no-such-option",
                                          r"Try: dialtone connect --help"]),
    (3, ["check", "no-such-profile"], [r"there is no profile 'no-such-profile'", r"There are no profiles yet\..*"]),
    (10, ["connect", "--standalone", "office"],
     [r"failed: A tunnel of its own may be set up by root only\.",
      r"Run it with sudo: sudo dialtone connect --standalone \.\.\."]),
]


def lines(code, words, wanted):
    @case(f"{code}: dialtone {' '.join(words)}")
    def _(lab):
        command = lab.inside("client", "setpriv", f"--reuid={CALLER}", f"--regid={CALLER}", "--clear-groups",
                             binary(), *words)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                              check=False)
        expect(done.returncode == code, f"it ended with {done.returncode}: {done.stderr}")
        said = done.stderr.splitlines()
        expect(len(said) == len(wanted), f"it said {said}")
        for pattern, line in zip(wanted, said):
            expect(re.fullmatch(pattern, line), f"'{line}' is not {pattern}")


for one in LINES:
    lines(*one)


@case("test_f9_another_gateway_than_the_first_time_is_warned_of_and_RemoteID_settles_it", seconds=60)
def _(lab):
    state = os.path.join(lab.folder, "state")
    os.mkdir(state)
    os.chown(state, CALLER, CALLER)

    def connect(name, groups):
        """What a terminal reads of one connection."""
        client = Dialtone(lab, groups, name=name)
        client.environment["XDG_STATE_HOME"] = state
        event = client.connect()
        client.disconnect()
        expect(event["vendor"] == "strongSwan", f"{event}")
        return client.stderr(), event["remote_id"]

    with Gateway(lab, Connection(ALICE)):
        for name in ("first", "again"):
            said, gateway = connect(name, profile())
            expect("Warning: the gateway" not in said and gateway == "fqdn:gw.example.com", said)
            expect(said.count("Warning: the preshared key is weak") == 1 and "battery" not in said, said)
    shutil.rmtree(os.path.join(lab.folder, "gateway.d"))
    with Gateway(lab, Connection(ALICE, gateway_id="evil.example.com")):
        said, _ = connect("evil", profile())
        print(f"# {said}")
        expect("it was fqdn:gw.example.com (strongSwan), and is fqdn:evil.example.com (strongSwan) now" in said, said)
        expect(said.index("Warning: the gateway") < said.index("connected: "), said)
        for name in ("wanted", "settled"):
            groups = profile(Gateway__RemoteID="fqdn:evil.example.com") if name == "wanted" else profile()
            expect("Warning: the gateway" not in connect(name, groups)[0], name)


@case("every exit code and reason of the contract stands in the lists above", lab=False)
def _():
    reached = {r[0] for r in ROWS} | {r[0] for r in LINES}
    expect(reached == set(range(1, len(REASONS) + 1)), f"reached: {sorted(reached)}")
    expect(len(CASES) == len(ROWS) + len(LINES) + 2, "a row has no case")


main()
