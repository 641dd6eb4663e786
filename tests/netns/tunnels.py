#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 420 s, full: 600 s, computes
"""Tunnels of every kind come up and carry ping and TCP, each way at once for 10 s."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import Dialtone, binary, in_pool, profile, secrets_text  # noqa: E402
from gateway import BANNER, Connection, Gateway  # noqa: E402
from lab import Site, expect, wait_until  # noqa: E402
from measure import expect_ping, expect_tcp  # noqa: E402

PASSWORD = {"User": "carol", "Password": "carol's password"}
USERS = {"carol": "carol's password"}


def carries(lab, connection, groups, secrets=None, **expected):
    """Connects, checks what `connected` says, sends traffic, ends and sees the gateway forget."""
    site = lab.sites[0]
    lab.serve_office()
    with Gateway(lab, connection) as gateway:
        client = Dialtone(lab, groups, secrets)
        event = client.connect()
        expect(in_pool(event["address"]), f"the address is {event['address']}")
        expect(event["gateway"] == f"{site.address}:4500", f"the gateway is {event['gateway']}")
        expect(event["nat"] != "none", "ESP goes without UDP")
        expect(event["dns"] == [site.dns], f"the name servers are {event['dns']}")
        for key, value in expected.items():
            group, _, name = key.partition("__")
            found = (event["phase2"][0] if group == "phase2" else event[group]) if group else None
            found = found[name] if name else found
            expect(found == value, f"{key} is {found!r}, not {value!r}: {event}")
        # What comes before the gateway has worked QM3 off, with PFS a while, it drops.
        wait_until(lambda: "established with SPIs" in gateway.text(), 2, "the gateway has its SAs")
        expect_ping(lab, site.host)
        expect_ping(lab, event["address"].split("/")[0], node=site.office)
        up, down = expect_tcp(lab, site.host)
        print(f"# {up / 1e6:.0f} Mbit/s up, {down / 1e6:.0f} Mbit/s down, "
              f"connected after {event['elapsed_ms']} ms")
        client.disconnect()
        wait_until(lambda: not gateway.ike_sas(), 2, "the gateway holds no IKE_SA any more")


@case("a preshared key and an email ID", nat=False)
def _(lab):
    carries(lab, Connection("alice@example.com"), profile(), nat="forced", banner=BANNER,
            fallback=False, phase1__group="modp1024")


@case("a preshared key and an FQDN ID", nat=False)
def _(lab):
    carries(lab, Connection("roadwarrior.example.com"), profile(identity="roadwarrior.example.com"))


@case("a preshared key, XAUTH, and mode config that the client pulls", nat=False)
def _(lab):
    carries(lab, Connection("alice@example.com", users=USERS), profile(Network__Config="pull"),
            secrets_text(**PASSWORD))


@case("a preshared key, XAUTH, and mode config that the gateway pushes", nat=False)
def _(lab):
    carries(lab, Connection("alice@example.com", users=USERS, pull=False), profile(),
            secrets_text(**PASSWORD))


@case("a profile that rules all offloads out, and status that counts", nat=False)
def _(lab):
    site = lab.sites[0]
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile(Quirks__Offloads="none"))
        event = client.connect()
        expect(event["offloads"] == [], f"offloads are {event['offloads']}")
        expect(event["traffic"]["drops"]["forged"] == 0, f"{event['traffic']}")
        link = lab.run("client", "ip", "-d", "link", "show", event["interface"])
        expect("vnet_hdr off" in link or "vnet_hdr" not in link, link)
        expect("qlen 2000" in link, f"the interface's queue: {link}")
        sockets = lab.run("client", "ss", "-Huanm")
        expect("rb14680064" in sockets and "tb14680064" in sockets, f"buffers of less than 7 MiB: {sockets}")
        expect_ping(lab, site.host)
        expect_tcp(lab, site.host, seconds=2)

        def status():
            return json.loads(lab.run("client", binary(), "status", "--json"))
        wait_until(lambda: status()["traffic"]["bytes_in"] > 1e6 < status()["traffic"]["bytes_out"], 10,
                   "status has what was carried")
        expect(status()["time"] == event["time"], "the state is not another one")
        expect(status()["elapsed_ms"] == event["elapsed_ms"], "nor did it take longer")
        client.disconnect()


@case("a gateway that pushes without XAUTH", nat=False)
def _(lab):
    carries(lab, Connection("alice@example.com", pull=False), profile(Network__Config="push"))


@case("behind a router that masquerades with random ports")
def _(lab):
    carries(lab, Connection("alice@example.com"), profile())


@case("aes256-sha256-modp2048 and aes256-sha256 with PFS")
def _(lab):
    carries(lab, Connection("alice@example.com", proposals="aes256-sha256-modp2048",
                            esp="aes256-sha256-modp2048"),
            profile(proposals="aes256-sha256-modp2048", phase2="aes256-sha256-modp2048"),
            phase1__group="modp2048", phase2__pfs="modp2048")


@case("aes256-sha512-ecp384 and aes256gcm16 with PFS ecp384")
def _(lab):
    carries(lab, Connection("alice@example.com", proposals="aes256-sha512-ecp384",
                            esp="aes256gcm16-ecp384"),
            profile(proposals="aes256-sha512-ecp384", phase2="aes256gcm16-ecp384"),
            phase1__group="ecp384", phase2__pfs="ecp384")


@case("3des-sha1-modp1024 and 3des-sha1")
def _(lab):
    carries(lab, Connection("alice@example.com", proposals="3des-sha1-modp1024", esp="3des-sha1"),
            profile(proposals="3des-sha1-modp1024", phase2="3des-sha1"), phase1__group="modp1024")


@case("four proposals in three groups, of which the gateway takes only the last")
def _(lab):
    carries(lab, Connection("alice@example.com", proposals="aes128-sha1-modp1024"),
            profile(proposals="aes256-sha256-modp2048;aes128-sha256-modp2048;"
                              "aes256-sha1-modp1536;aes128-sha1-modp1024"),
            phase1__group="modp1024", fallback=True)


# The example of Junos' page on IKE policies: policy 10.1.1.2 and policy 10.1.1.1, each with
# proposal-1 and proposal-2, one with an ASCII key and one with a hexadecimal key.
PROPOSALS = "3des-sha1-modp768;3des-md5-modp1024"
TWO_SITES = [Site("ten-2", "10.1.1.2", "10.10.0.0/24"), Site("ten-1", "10.1.1.1", "10.30.0.0/24")]


@case("the example of Junos' manual: two gateways, two policies, both tunnels at once",
      seconds=90, sites=TWO_SITES, router_outside="10.1.1.254")
def _(lab):
    two, one = lab.sites
    common = {"proposals": PROPOSALS, "phase2": "3des-sha1"}
    clients = []
    policies = ((two, "3des-sha1-modp768", b"an ASCII key", "an ASCII key", "10.20.1.0/24"),
                (one, "3des-md5-modp1024", bytes.fromhex("0102030abbcd"), "0x0102030abbcd",
                 "10.20.2.0/24"))
    for site, takes, psk, written, pool in policies:
        lab.serve_office(site)
        Gateway(lab, Connection("alice@example.com", psk=psk, proposals=takes, esp="3des-sha1",
                                pool=pool, local_ts=site.lan), site=site).up()
        clients.append((site, pool, Dialtone(
            lab, profile(address=site.address, Profile__Name=f"policy {site.address}",
                         Phase2__Networks=site.lan, **common),
            secrets_text(psk=written), name=f"policy-{site.address}")))
    events = [client.connect() for _, _, client in clients]
    expect(events[0]["interface"] != events[1]["interface"], "both tunnels have one interface")
    for (site, pool, _), event in zip(clients, events):
        expect(in_pool(event["address"], pool), f"the address at {site.address}: {event['address']}")
    for site, _, _ in clients:
        expect_ping(lab, site.host)
    for site, _, _ in clients:
        expect_tcp(lab, site.host)
    for _, _, client in clients:
        client.disconnect()


main()
