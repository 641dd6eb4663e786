#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 600 s, full: 600 s
"""The road warrior scenarios of strongSwan's own test suite, by what their names say, with Dialtone
as the road warrior; and what that gateway does to a client, item by item."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from certificates import Pki  # noqa: E402
from client import Dialtone, in_pool, profile, secrets_text  # noqa: E402
from gateway import BANNER, Connection, Gateway  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping, page, ping  # noqa: E402

USERS = {"carol": "carol's password", "dave": "dave's password"}
CAROL = secrets_text(User="carol", Password=USERS["carol"])
DAVE = secrets_text(User="dave", Password=USERS["dave"])
DPD = {"dpd_delay": "2s", "dpd_timeout": "8s"}


def connected(lab, groups=None, secrets=None, name="office"):
    client = Dialtone(lab, groups or profile(), secrets, name=name)
    return client, client.connect(15)


def children_made(gateway):
    return sum("CHILD_SA" in line and "established with SPIs" in line
               for line in gateway.text().splitlines())


# ---- the scenarios ----

@case("rw-psk-aggressive: two road warriors, each with an ID and a key of its own")
def _(lab):
    lab.serve_office()
    carol = Connection("carol@example.com", psk="carol's key")
    dave = Connection("dave.example.com", psk="dave's key", pool="10.20.2.0/24")
    with Gateway(lab, {"carol": carol, "dave": dave}):
        for identity, psk, pool in (("carol@example.com", "carol's key", "10.20.1.0/24"),
                                    ("dave.example.com", "dave's key", "10.20.2.0/24")):
            client, event = connected(lab, profile(identity=identity), secrets_text(psk=psk),
                                      name=identity)
            expect(in_pool(event["address"], pool), f"the address is {event['address']}")
            expect_ping(lab, lab.sites[0].host)
            client.disconnect()


@case("rw-psk-aggressive: one road warrior's key does not open the other's door")
def _(lab):
    carol = Connection("carol@example.com", psk="carol's key")
    dave = Connection("dave.example.com", psk="dave's key", pool="10.20.2.0/24")
    with Gateway(lab, {"carol": carol, "dave": dave}):
        client = Dialtone(lab, profile(identity="dave.example.com"), secrets_text(psk="carol's key"))
        client.start()
        said = client.wait_state("failed", 10)
        expect(said["reason"] == "gateway-authentication", f"{said}")
        expect(client.wait_exit() == 7, "the exit code is not 7")


@case("xauth-psk: one key for the group, and each user's own password")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("keyid:group", users=USERS)) as gateway:
        for user, secrets in (("carol", CAROL), ("dave", DAVE)):
            client, _ = connected(lab, profile(identity="keyid:group"), secrets, name=user)
            expect_ping(lab, lab.sites[0].host)
            expect(f"XAuth authentication of '{user}' successful" in gateway.text(), gateway.text()[-900:])
            client.disconnect()


@case("xauth-id-psk-config: the name for XAUTH is another than the ID, the address comes by mode config")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("carol@example.com", users={"nobody knows": "carol's password"})) as gateway:
        secrets = secrets_text(User="nobody knows", Password="carol's password")
        client, event = connected(lab, profile(identity="carol@example.com"), secrets)
        expect(in_pool(event["address"]), f"the address is {event['address']}")
        expect("XAuth authentication of 'nobody knows' successful" in gateway.text(), "another name")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("nat-rw: behind a router that masquerades, ESP goes in UDP, and an idle mapping is kept open")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        client, event = connected(lab, profile(Quirks__NatT="auto"))
        expect(event["nat"] == "detected", f"nat is {event['nat']}")
        expect_ping(lab, lab.sites[0].host)
        before = lab.run("router", "conntrack", "-L", "-p", "udp")
        time.sleep(25)
        after = lab.run("router", "conntrack", "-L", "-p", "udp")
        expect("dport=4500" in before and "dport=4500" in after, f"the mapping went: {after}")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("nat-virtual-ip: the office sees the address that mode config gave, not the router's")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        client, event = connected(lab)
        inner = event["address"].split("/")[0]
        expect_ping(lab, inner, node=lab.sites[0].office)
        seen = lab.run(lab.sites[0].office, "ip", "neigh")
        expect("10.99.1.2" not in seen and "203.0.113.1" not in seen, f"the office knows {seen}")
        client.disconnect()


@case("double-nat: a router before the client, and one before the gateway")
def _(lab):
    lab.serve_office()
    outside = "203.0.113.99"
    lab.nft("router", f"""
        table ip forward {{
          chain in {{ type nat hook prerouting priority -100;
            ip daddr {outside} udp dport {{ 500, 4500 }} dnat to {lab.sites[0].address}
          }}
        }}""")
    lab.ip("router", "addr", "add", f"{outside}/32", "dev", "lo")
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client, event = connected(lab, profile(address=outside, Quirks__NatT="auto"))
        expect(event["gateway"] == f"{outside}:4500", f"the gateway is {event['gateway']}")
        expect("local host is behind NAT" in gateway.text(), "the gateway's own NAT was not told")
        expect("remote host is behind NAT" in gateway.text(), "the client's NAT was not told")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("dpd-clear: a client that lives stays, one that died is forgotten by the gateway", seconds=90)
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com", ike=DPD)) as gateway:
        client, _ = connected(lab)
        time.sleep(12)
        expect(gateway.ike_sas(), "an idle client was taken for dead")
        expect("DPD" in gateway.text(), "the gateway never asked")
        for pid in client.family():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not gateway.ike_sas(), 30, "the gateway clears the dead client")


@case("dpd-restart: a gateway out of reach is noticed and connected to again by the client itself",
      seconds=120)
def _(lab):
    site = lab.sites[0]
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com", ike=DPD)) as gateway:
        client, _ = connected(lab)
        known = len(client.events)
        lab.drop_at(site.name, "udp dport { 500, 4500 }")
        end = time.monotonic() + 60
        while "reconnecting" not in [e["state"] for e in client.events[known:]]:
            ping(lab, site.host, 1, wait=1)
            expect(time.monotonic() < end, f"not noticed in a minute: {client.states()}")
        wait_until(lambda: not gateway.ike_sas(), 30, "the gateway clears the tunnel, too")
        known = len(client.events)
        lab.allow_at(site.name)
        client.wait_state("connected", 40, after=known)
        expect_ping(lab, site.host)
        client.disconnect()


@case("config-payload: address, name server and domain come by mode config, and go with the tunnel")
def _(lab):
    site = lab.sites[0]
    lab.serve_office()
    before = lab.read_resolv_conf()
    with Gateway(lab, Connection("alice@example.com")):
        client, event = connected(lab)
        expect(event["dns"] == [site.dns], f"dns {event['dns']}")
        expect("office.example" in event["domains"], f"domains {event['domains']}")
        expect(event["banner"] == BANNER, f"banner {event['banner']}")
        expect(site.dns in lab.read_resolv_conf().decode(), "resolv.conf lacks the name server")
        expect("your tunnel works" in page(lab, "http://intranet.office.example/"), "no page by name")
        client.disconnect()
    expect(lab.read_resolv_conf() == before, "resolv.conf is not as it was")


# ---- with certificates ----

def certified(lab, kind="rsa2048", users=None, secrets="[Secrets]\nPassphrase=not needed\n", **more):
    """Connects by certificate, carries pings, and returns what `connected` said."""
    lab.serve_office()
    made = Pki(kind)
    groups = profile(**made.settings(lab, made.client("email:alice@example.com")),
                     **more.pop("settings", {}))
    connection = Connection("alice@example.com", auth="certificate", users=users or {},
                            **made.gateway(), **more)
    with Gateway(lab, connection) as gateway:
        client, event = connected(lab, groups, secrets)
        expect_ping(lab, lab.sites[0].host)
        expect("authentication of 'alice@example.com'" in gateway.text(), "the gateway saw no signature")
        client.disconnect()
    return event


@case("rw-cert-aggressive: RSA certificates on both sides, the gateway's under an intermediate")
def _(lab):
    event = certified(lab)
    expect(event["phase1"]["auth"] == "certificate", f"{event['phase1']}")


@case("rw-cert-aggressive: RSA of 4096 bits on both sides")
def _(lab):
    certified(lab, "rsa4096")


@case("rw-cert-aggressive: ECDSA with P-256, and a hash of the proposal that is not the curve's")
def _(lab):
    certified(lab, "ecp256")


@case("rw-cert-aggressive: ECDSA with P-384")
def _(lab):
    certified(lab, "ecp384", proposals="aes256-sha384-ecp384",
              settings={"Phase1__Proposals": "aes256-sha384-ecp384"})


@case("xauth-id-rsa-aggressive: RSA certificates on both sides, and a password")
def _(lab):
    event = certified(lab, users=USERS, secrets="[Secrets]\nUser=carol\nPassword=carol's password\n",
                      settings={"UserAuth__XAuth": "required"})
    expect(event["phase1"]["auth"] == "xauth-certificate", f"{event['phase1']}")


@case("xauth-id-rsa-hybrid: the gateway shows a certificate, the client a password")
def _(lab):
    lab.serve_office()
    made = Pki()
    connection = Connection("carol@example.com", auth="hybrid", users=USERS, **made.gateway())
    with Gateway(lab, connection) as gateway:
        client, event = connected(lab, profile(identity="carol@example.com", **made.settings(lab)),
                                  "[Secrets]\nUser=carol\nPassword=carol's password\n")
        expect(event["phase1"]["auth"] == "hybrid", f"{event['phase1']}")
        expect("XAuth authentication of 'carol' successful" in gateway.text(), "no XAUTH")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("xauth-id-rsa-hybrid: a gateway of another authority gets no password")
def _(lab):
    ours, theirs = Pki(), Pki("ecp256")
    stranger = theirs.gateway(kind="rsa2048")
    with Gateway(lab, Connection("carol@example.com", auth="hybrid", users=USERS, **stranger)) as gateway:
        client = Dialtone(lab, profile(identity="carol@example.com", **ours.settings(lab)),
                          "[Secrets]\nUser=carol\nPassword=carol's password\n")
        client.start()
        said = client.wait_state("failed", 10)
        expect(said["reason"] == "gateway-authentication", f"{said}")
        expect("XAuth authentication" not in gateway.text(), "XAUTH went on")
        expect(client.wait_exit() == 7, "the exit code is not 7")


# ---- what strongSwan does to a client ----

@case("split include comes to who speaks Unity, and narrows 0.0.0.0/0 in the gateway's rekeys, too")
def _(lab):
    site = lab.sites[0]
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client, event = connected(lab)
        expect(event["routes"] == [site.lan], f"routes {event['routes']}")
        expect_ping(lab, site.host)
        gateway.rekey()
        wait_until(lambda: children_made(gateway) >= 2, 5, "the gateway renews the SA")
        expect_ping(lab, site.host)
        expect(client.states().count("reconnecting") == 0, f"{client.states()}")
        client.disconnect()


@case("the gateway's own order of proposals is accepted")
def _(lab):
    lab.serve_office()
    connection = Connection("alice@example.com", proposals="aes128-sha1-modp1024,aes256-sha256-modp1024",
                            esp="aes128-sha1,aes256-sha256")
    with Gateway(lab, connection):
        client, event = connected(lab, profile(proposals="aes256-sha256-modp1024;aes128-sha1-modp1024",
                                               phase2="aes256-sha256;aes128-sha1"))
        print(f"# {event['phase1']}, {event['phase2'][0]}")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("a client that renews Phase 1 in time keeps its SA: no new Quick Mode, no DELETE", seconds=90)
def _(lab):
    lab.serve_office()
    patient = {"rekey_time": "0", "reauth_time": "40s", "over_time": "10s", "rand_time": "0s"}
    with Gateway(lab, Connection("alice@example.com", users=USERS, ike=patient)) as gateway:
        client, _ = connected(lab, profile(Phase1__Lifetime="25s", Phase2__Lifetime="1h"), CAROL)
        sent, received = ping(lab, lab.sites[0].host, 240, 0.2)
        expect(received == sent, f"{received} of {sent} pings in the time of two renewals")
        text = gateway.text()
        expect("did not reauthenticate" not in text, "the gateway waited in vain")
        expect(children_made(gateway) == 1, f"{children_made(gateway)} SAs")
        expect(text.count("XAuth authentication of 'carol' successful") >= 2, "Phase 1 ran once")
        client.disconnect()


@case("the gateway begins a rekey with a PFS group that the profile does not allow: refused, and the tunnel lives")
def _(lab):
    lab.serve_office()
    connection = Connection("alice@example.com", esp="aes128-sha1,aes256-sha256-modp2048")
    with Gateway(lab, connection) as gateway:
        client, event = connected(lab)
        expect(not event["phase2"][0]["pfs"] or event["phase2"][0]["pfs"] == "none",
               f"PFS at first: {event['phase2']}")
        expect_ping(lab, lab.sites[0].host)
        # It offers only what has the group of its KE, and that is not in the profile.
        gateway.rekey()
        wait_until(lambda: "received NO_PROPOSAL_CHOSEN error notify" in gateway.text(), 5, "the rekey is refused")
        sent, received = ping(lab, lab.sites[0].host, 30, 0.2)
        expect(received == sent, f"{received} of {sent} pings")
        expect(children_made(gateway) == 1, f"{children_made(gateway)} pairs of SAs were made")
        expect("reconnecting" not in client.states(), f"{client.states()}")
        client.disconnect()


@case("a wrong ID is told at once, as AUTHENTICATION-FAILED of the gateway")
def _(lab):
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client = Dialtone(lab, profile(identity="mallory@example.com"))
        began = time.monotonic()
        client.start()
        said = client.wait_state("failed", 5)
        expect(said["reason"] == "gateway-authentication", f"{said}")
        print(f"# after {time.monotonic() - began:.1f} s: {said['message']}")
        expect("AUTH_FAILED" in gateway.text() or "AUTHENTICATION_FAILED" in gateway.text(),
               "the gateway sent another notify")
        expect(client.wait_exit() == 7, "the exit code is not 7")


main()
