#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 420 s, full: 420 s
"""`dialtone diagnose` finds out what is wrong, says it plainly, and mends the profile."""

import datetime
import json
import os
import pty
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from certificates import Pki, put  # noqa: E402
from client import CALLER, Dialtone, binary, profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from gateways import pki as made  # noqa: E402
from lab import expect, run  # noqa: E402
import subprocess  # noqa: E402
import time  # noqa: E402

ALICE = "alice@example.com"
USERS = {"carol": "carol's password"}
PROBES_MAX = 20


def diagnose(client, code, *options, json_too=True):
    """Runs it as the ordinary user, without any right; returns the object, or the lines."""
    words = [binary(), "diagnose", *(["--json"] if json_too else []), *options, client.profile]
    command = client.lab.inside("client", "setpriv", f"--reuid={CALLER}", f"--regid={CALLER}",
                                "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", *words)
    begin = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=55, check=False)
    print(f"# after {time.monotonic() - begin:.1f} s")
    for line in (done.stdout + done.stderr).splitlines():
        print(f"#   {line}")
    expect(done.returncode == code, f"it ended with {done.returncode}, not {code}: {done.stdout} {done.stderr}")
    if not json_too:
        return done.stdout
    told = json.loads(done.stdout)
    expect(told["schema"] == 1 and told["profile"] == "Office", f"{told}")
    expect(told["probes"] <= PROBES_MAX, f"{told['probes']} questions")
    return told


def check(told, name, result, *words):
    """The one finding of this name."""
    found = [c for c in told["checks"] if c["name"] == name]
    expect(len(found) == 1, f"{len(found)} findings are called {name}: {told['checks']}")
    expect(found[0]["result"] == result, f"{name} is {found[0]}")
    for word in words:
        said = f"{found[0]['message']} {found[0]['advice']}"
        expect(word in said, f"{name} does not say '{word}': {said}")


def changes(told):
    return {f"[{c['group']}] {c['key']}": c["to"] for c in told["changes"]}


def sent_to_gateway(lab):
    """How many datagrams of IKE came to the gateway, by a counter that begins now."""
    lab.nft("gateway", """
        table ip counted
        delete table ip counted
        table ip counted {
          chain in { type filter hook input priority -20;
            udp dport { 500, 4500 } counter
          }
        }""")
    return lambda: int(re.search(r"packets (\d+)", lab.run("gateway", "nft", "list", "table", "ip", "counted")).group(1))


@case("a gateway that takes one unusual proposal: it is named, and the corrected profile connects")
def _(lab):
    unusual = "aes192-sha384-ecp384"
    groups = profile(proposals="aes256-sha256-modp2048")
    text = "# my own words\n" + profile_text(groups).replace("[Phase1]", "# about Phase 1\n[Phase1]")
    with Gateway(lab, Connection(ALICE, proposals=unusual)) as gateway:
        client = Dialtone(lab, text)
        counted = sent_to_gateway(lab)
        told = diagnose(client, 6)
        check(told, "udp-500", "ok")
        check(told, "udp-4500", "ok")
        check(told, "proposals", "failed", unusual)
        check(told, "id", "ok", ALICE)
        expect(changes(told) == {"[Phase1] Proposals": unusual}, f"{told['changes']}")
        expect(not told["written"], "it wrote without being told to")
        expect(counted() == told["probes"], f"{counted()} datagrams came, and it says {told['probes']}")
        expect("established" not in gateway.text(), "a probe proved who it is")
        told = diagnose(client, 0, "--write")
        expect(told["written"], f"{told}")
        with open(client.profile, encoding="utf-8") as file:
            now = file.read()
        expect(now == text.replace("aes256-sha256-modp2048", unusual), f"the profile is now:\n{now}")
        client.connect()
        client.disconnect()


def on_a_terminal(client, answer):
    """What a person reads who types `answer` to the one question."""
    ours, theirs = pty.openpty()
    process = client.lab.start("client", "setpriv", f"--reuid={CALLER}", f"--regid={CALLER}", "--clear-groups",
                               binary(), "diagnose", client.profile, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    while b"now? [y/N] " not in said:
        said += os.read(ours, 4096)
    os.write(ours, answer)
    code = process.wait(10)
    said += os.read(ours, 65536)
    os.close(ours)
    return code, said.decode()


@case("on a terminal it asks before it changes the profile")
def _(lab):
    with Gateway(lab, Connection(ALICE, proposals="aes256-sha384-modp2048")):
        client = Dialtone(lab, profile(proposals="aes256-sha256-modp2048"))
        for answer, code, changed in ((b"n\n", 6, False), (b"y\n", 0, True)):
            ended, said = on_a_terminal(client, answer)
            expect(ended == code, f"it ended with {ended}: {said}")
            expect(("Written. Connect again." in said) == changed, said)
            with open(client.profile, encoding="utf-8") as file:
                expect(("aes256-sha384-modp2048" in file.read()) == changed, f"after {answer}")


@case("a profile that is right: nothing is failed, and nothing is changed")
def _(lab):
    with Gateway(lab, Connection(ALICE)):
        client = Dialtone(lab, profile())
        told = diagnose(client, 0)
        check(told, "proposals", "warning", "aes128-sha1-modp1024", "weak")
        check(told, "nat", "ok", "A NAT stands between")
        check(told, "mtu", "ok", "1500")
        check(told, "remote-id", "ok", "fqdn:gw.example.com")
        expect(told["changes"] == [] and told["reason"] is None, f"{told}")


@case("without a NAT it says so", nat=False)
def _(lab):
    with Gateway(lab, Connection(ALICE)):
        check(diagnose(Dialtone(lab, profile()), 0), "nat", "ok", "No NAT")


@case("a gateway that wants a user, and then the profile asks for one")
def _(lab):
    with Gateway(lab, Connection(ALICE, users=USERS)):
        client = Dialtone(lab, profile())
        told = diagnose(client, 0, "--write")
        check(told, "user", "failed", "[UserAuth] User=")
        expect(changes(told) == {"[UserAuth] XAuth": "required"}, f"{told['changes']}")


@case("a gateway that knows the ID as a key ID: the profile is mended and connects")
def _(lab):
    with Gateway(lab, Connection("keyid:sales")):
        client = Dialtone(lab, profile(identity="sales"))
        told = diagnose(client, 0, "--write")
        check(told, "id", "failed", "keyid:sales")
        expect(changes(told) == {"[Identity] ID": "keyid:sales"}, f"{told['changes']}")
        client.connect()
        client.disconnect()


@case("an ID that the gateway knows in no way ends with 7")
def _(lab):
    with Gateway(lab, Connection("bob@example.com")):
        told = diagnose(Dialtone(lab, profile()), 7)
        check(told, "id", "failed", "user-at-hostname")
        expect(told["reason"] == "gateway-authentication" and not told["changes"], f"{told}")


@case("a gateway that falls silent when it has said that it does not know the ID: its word stands")
def _(lab):
    with Gateway(lab, Connection("bob@example.com")):
        # The two ports and the MTU; then a gateway that answers no more for a while.
        lab.drop_at("gateway", "udp dport { 500, 4500 } numgen inc mod 1000 >= 3")
        told = diagnose(Dialtone(lab, profile()), 7)
        check(told, "id", "failed", ALICE)
        expect(told["reason"] == "gateway-authentication" and not told["changes"], f"{told}")


@case("a weak proposal is named and never written by itself")
def _(lab):
    with Gateway(lab, Connection(ALICE, proposals="aes128-sha1-modp1024")):
        told = diagnose(Dialtone(lab, profile(proposals="aes256-sha256-modp2048")), 6, "--write")
        check(told, "proposals", "failed", "aes128-sha1-modp1024", "weak", "[Phase1] Proposals yourself")
        expect(not told["changes"] and not told["written"], f"{told}")


@case("a gateway that has a distinguished name: it is said as RemoteID takes it")
def _(lab):
    name = "C=NL, O=Example, CN=Gateway"
    with Gateway(lab, Connection(ALICE, gateway_id=name)):
        told = diagnose(Dialtone(lab, profile(Gateway__RemoteID="fqdn:other.example.com")), 7)
        check(told, "remote-id", "failed", f"dn:{name}")
        mended = profile(Gateway__RemoteID=f"dn:{name}", Secrets__PSK="ask")
        run([binary(), "check", Dialtone(lab, mended, name="mended").profile])


@case("another RemoteID is said and never changed by itself")
def _(lab):
    with Gateway(lab, Connection(ALICE)):
        told = diagnose(Dialtone(lab, profile(Gateway__RemoteID="fqdn:other.example.com")), 7, "--write")
        check(told, "remote-id", "failed", "fqdn:gw.example.com", "Only if you know")
        expect(not told["changes"] and not told["written"], f"{told}")


@case("UDP blocked altogether is said plainly")
def _(lab):
    lab.drop_at("gateway", "meta l4proto udp")
    told = diagnose(Dialtone(lab, profile()), 5)
    check(told, "udp", "failed", "UDP is blocked altogether", "hotels", "no way through TCP")


@case("a gateway that is not there at all is not called a hotel's network")
def _(lab):
    lab.drop_at("gateway", "meta l4proto { tcp, udp, icmp }")
    told = diagnose(Dialtone(lab, profile()), 5)
    check(told, "udp", "failed", "Nothing comes back")


@case("port 4500 blocked and 500 open is told from both blocked")
def _(lab):
    with Gateway(lab, Connection(ALICE)):
        lab.drop_at("gateway", "udp dport 4500")
        told = diagnose(Dialtone(lab, profile()), 5)
        check(told, "udp-500", "ok")
        check(told, "udp-4500", "failed", "let UDP port 4500 through")


@case("port 500 blocked and 4500 open is told from both blocked")
def _(lab):
    with Gateway(lab, Connection(ALICE)):
        lab.drop_at("gateway", "udp dport 500")
        told = diagnose(Dialtone(lab, profile()), 5)
        check(told, "udp-500", "failed", "let UDP port 500 out")
        check(told, "udp-4500", "ok")


@case("port 500 blocked and 4500 open: all else is asked on 4500, and the proposal is found")
def _(lab):
    unusual = "aes192-sha384-ecp384"
    with Gateway(lab, Connection(ALICE, proposals=unusual)):
        lab.drop_at("gateway", "udp dport 500")
        told = diagnose(Dialtone(lab, profile(proposals="aes256-sha256-modp2048")), 5)
        check(told, "udp-500", "failed")
        check(told, "mtu", "ok", "1500")
        check(told, "proposals", "failed", unusual)
        expect(changes(told) == {"[Phase1] Proposals": unusual}, f"{told['changes']}")


@case("an address with port 4500: datagrams are as large there, and silence names both ports")
def _(lab):
    client = Dialtone(lab, profile(address="203.0.113.2:4500"))
    with Gateway(lab, Connection(ALICE)):
        check(diagnose(client, 0), "mtu", "ok", "1500")
    check(diagnose(client, 5), "udp", "failed", "ports 4500 and 500")


@case("over IPv6 a datagram that would be cut is not called whole")
def _(lab):
    address = "2001:db8:1::"
    for node, link, number in (("client", "eth0", 2), ("router", "lan0", 1)):
        lab.ip(node, "-6", "addr", "add", f"{address}{number}/64", "dev", link, "nodad")
    lab.ip("router", "-6", "addr", "add", "2001:db8:2::1/64", "dev", "wan0", "nodad")
    lab.ip("gateway", "-6", "addr", "add", "2001:db8:2::2/64", "dev", "eth0", "nodad")
    lab.ip("client", "-6", "route", "add", "default", "via", f"{address}1")
    lab.ip("gateway", "-6", "route", "add", "default", "via", "2001:db8:2::1")
    lab.run("router", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    lab.ip("client", "link", "set", "eth0", "mtu", "1420")
    with Gateway(lab, Connection(ALICE, ike={"local_addrs": "2001:db8:2::2"})):
        check(diagnose(Dialtone(lab, profile(address="2001:db8:2::2")), 0), "mtu", "ok", "1420")


@case("a computer on which nothing listens is told from a silent one")
def _(lab):
    check(diagnose(Dialtone(lab, profile()), 5), "udp", "failed", "nothing listens")


@case("a name that is not found ends there")
def _(lab):
    lab.serve_names("vpn.example.com=203.0.113.2")
    told = diagnose(Dialtone(lab, profile(address="no-such-name.example.com")), 5)
    check(told, "name", "failed", "no-such-name.example.com", "[Gateway] Address")
    expect(told["probes"] == 0, f"{told}")


@case("a name that is found is looked up as any program would, and people read lines")
def _(lab):
    lab.serve_names("vpn.example.com=203.0.113.2")
    with Gateway(lab, Connection(ALICE, proposals="aes256-sha512-modp3072")):
        said = diagnose(Dialtone(lab, profile(address="vpn.example.com")), 6, json_too=False)
        for words in ("ok       The name vpn.example.com is found", "failed   The gateway accepts none",
                      "[Phase1] Proposals=aes256-sha512-modp3072   (it was aes128-sha1-modp1024)"):
            expect(words in said, f"'{words}' is missing")


@case("a path of small datagrams is measured, and the profile is told")
def _(lab):
    lab.nft("router", """
        table ip narrow {
          chain forward { type filter hook forward priority -5;
            udp dport { 500, 4500 } ip length > 1300 drop
          }
        }""")
    with Gateway(lab, Connection(ALICE)):
        told = diagnose(Dialtone(lab, profile()), 0)
        check(told, "mtu", "warning", "1280")
        expect(changes(told) == {"[Network] MTU": "1176"}, f"{told['changes']}")


# ---- certificates ----
def signing(pki, auth="certificate", **more):
    return Connection(ALICE, auth=auth, **pki.gateway(), **more)


def client_certificate(lab, pki, **more):
    return {**pki.settings(lab, pki.client("email:" + ALICE)), **more}


for kind in ("rsa2048", "ecp384"):
    @case(f"Auth=certificate, a key of {kind}: the proposal is found, and the corrected profile connects")
    def _(lab, kind=kind):
        unusual, pki = "aes192-sha384-ecp256", Pki(kind)
        with Gateway(lab, signing(pki, proposals=unusual)) as gateway:
            client = Dialtone(lab, profile(proposals="aes256-sha256-modp2048", **client_certificate(lab, pki)))
            counted = sent_to_gateway(lab)
            told = diagnose(client, 6)
            check(told, "certificate", "ok", "CN=Client,O=Example")
            check(told, "proposals", "failed", unusual)
            check(told, "id", "ok", ALICE)
            check(told, "proof", "skipped")
            expect(changes(told) == {"[Phase1] Proposals": unusual}, f"{told['changes']}")
            expect(counted() == told["probes"], f"{counted()} datagrams came, and it says {told['probes']}")
            expect("established" not in gateway.text(), "a probe proved who it is")
            expect(diagnose(client, 0, "--write")["written"], "it was not written")
            client.connect()
            client.disconnect()


@case("Auth=hybrid: the proposal is found, and the corrected profile connects")
def _(lab):
    unusual, pki = "aes128-sha512-modp3072", Pki()
    mine = profile(proposals="aes256-sha256-modp2048", UserAuth__User="carol", **pki.settings(lab))
    with Gateway(lab, signing(pki, auth="hybrid", users=USERS, proposals=unusual)):
        client = Dialtone(lab, mine, secrets_text(Password=USERS["carol"]))
        told = diagnose(client, 0, "--write")
        check(told, "proposals", "failed", unusual)
        expect(changes(told) == {"[Phase1] Proposals": unusual}, f"{told['changes']}")
        client.connect()
        client.disconnect()


@case("Auth=certificate without a user, and a gateway that wants one")
def _(lab):
    pki = Pki()
    with Gateway(lab, signing(pki, users=USERS)):
        told = diagnose(Dialtone(lab, profile(**client_certificate(lab, pki))), 7)
        check(told, "user", "failed", "[UserAuth] User=")
        expect(changes(told) == {"[UserAuth] XAuth": "required"}, f"{told['changes']}")


@case("Auth=certificate with a user, and a gateway that wants none")
def _(lab):
    pki = Pki()
    mine = client_certificate(lab, pki, UserAuth__User="carol")
    with Gateway(lab, signing(pki)):
        told = diagnose(Dialtone(lab, profile(**mine)), 7)
        check(told, "user", "failed", "wants no user")
        expect(changes(told) == {"[UserAuth] XAuth": "no"}, f"{told['changes']}")


def locked_certificate(lab, pki):
    client = pki.client("email:" + ALICE)
    path = os.path.join(lab.folder, "plain.pem")
    put(lab, "plain.pem", client.pem(private=False) + made.pem_of_key(client.key))
    locked = os.path.join(lab.folder, "locked.p12")
    run(["openssl", "pkcs12", "-export", "-in", path, "-out", locked, "-passout", "pass:to open"])
    os.unlink(path)
    with open(locked, "rb") as file:
        return put(lab, "mine.p12", file.read())


@case("a certificate that is locked stays so, and the kind of its key is found out")
def _(lab):
    pki = Pki("ecp256")
    locked = locked_certificate(lab, pki)
    mine = client_certificate(lab, pki, Identity__Certificate="file:" + locked)
    with Gateway(lab, signing(pki)):
        told = diagnose(Dialtone(lab, profile(**mine)), 0)
        check(told, "certificate", "skipped", "locked")
        check(told, "key", "ok", "P-256")
        check(told, "proposals", "warning", "aes128-sha1-modp1024")
        expect(not told["changes"], f"{told['changes']}")


@case("a locked certificate and an ID that nobody knows: what the gateway said outlasts the questions")
def _(lab):
    pki = Pki("ecp256")
    locked = locked_certificate(lab, pki)
    lab.nft("router", """
        table ip narrow {
          chain forward { type filter hook forward priority -5;
            udp dport { 500, 4500 } ip length > 1300 drop
          }
        }""")
    mine = client_certificate(lab, pki, Identity__Certificate="file:" + locked)
    with Gateway(lab, Connection("bob@example.com", auth="certificate", proposals="aes256-sha384-ecp384",
                                 **pki.gateway())):
        told = diagnose(Dialtone(lab, profile(proposals="aes256-sha256-modp2048", **mine)), 7)
        check(told, "id", "failed", ALICE)
        expect(told["reason"] == "gateway-authentication", f"{told}")


@case("a certificate that has ended is said, and the gateway is asked all the same")
def _(lab):
    pki = Pki()
    day = datetime.timedelta(days=1)
    old = pki.client("email:" + ALICE, begins=-9 * day, ends=-day)
    with Gateway(lab, signing(pki)):
        told = diagnose(Dialtone(lab, profile(**pki.settings(lab, old))), 7)
        check(told, "certificate", "failed", "ended on")
        check(told, "id", "ok", ALICE)


@case("an authority's file that is missing is said, and the gateway is asked all the same")
def _(lab):
    pki = Pki()
    missing = os.path.join(lab.folder, "no-such.pem")
    with Gateway(lab, signing(pki)):
        told = diagnose(Dialtone(lab, profile(**client_certificate(lab, pki, Identity__CA="file:" + missing))), 3)
        check(told, "certificate", "failed", "[Identity] CA", missing)
        check(told, "id", "ok", ALICE)


@case("an ID that no certificate's gateway knows ends with 7, within the questions that are allowed")
def _(lab):
    pki = Pki()
    with Gateway(lab, Connection("bob@example.com", auth="certificate", **pki.gateway())):
        told = diagnose(Dialtone(lab, profile(**client_certificate(lab, pki))), 7)
        check(told, "id", "failed")
        expect(told["reason"] == "gateway-authentication" and not told["changes"], f"{told}")


main()
