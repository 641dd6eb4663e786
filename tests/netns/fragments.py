#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 150 s, full: 150 s
"""Messages that are longer than their path: IKE fragmentation with strongSwan, over a router that
passes neither UDP datagrams of more than 1,280 bytes nor IP fragments.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from certificates import Pki  # noqa: E402
from client import Dialtone, profile  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from gateways import pki as made  # noqa: E402
from lab import expect  # noqa: E402
from measure import expect_ping  # noqa: E402

# One Quick Mode that offers all of these, each with a public value of 512 bytes beside it.
OFFERS = ";".join(f"{cipher}-{integrity}-modp4096" for cipher in ("aes256", "aes192", "aes128", "3des")
                  for integrity in ("sha512", "sha384", "sha256", "sha1"))
TAKEN = "3des-sha1-modp4096"
LARGE = {"proposals": "aes256-sha256-modp4096", "phase2": OFFERS, "Phase2__LifetimeKB": "4000000"}
# With an MTU of its own the tunnel sends no datagram to see whether the path is too narrow for it.
UNASKED = {"Network__MTU": "1200"}


def narrow(lab):
    """Before the router's connection tracking would put IP fragments together."""
    lab.nft("router", """
        table inet narrow {
          counter wide { }
          chain early { type filter hook prerouting priority -450;
            ip frag-off & 0x3fff != 0 counter name wide drop
            exthdr frag exists counter name wide drop
          }
          chain pass { type filter hook forward priority -5;
            meta l4proto udp meta length > 1280 counter name wide drop
          }
        }""")


def dropped(lab):
    return int(re.search(r"packets (\d+)", lab.run("router", "nft", "list", "counter", "inet",
                                                   "narrow", "wide"))[1])


def connection(**more):
    return Connection("alice@example.com", proposals=LARGE["proposals"], esp=TAKEN, **more)


@case("a Quick Mode of more than 1,280 bytes reaches strongSwan in fragments")
def _(lab):
    narrow(lab)
    with Gateway(lab, connection()) as gateway:
        client = Dialtone(lab, profile(**LARGE, **UNASKED))
        client.connect(15)
        expect("received fragment #" in gateway.text(), "strongSwan saw no fragment")
        expect(dropped(lab) == 0, f"{dropped(lab)} packets were too long for the path")
        lab.serve_office()
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("chains of RSA certificates, each with an intermediate, get through both ways", seconds=60)
def _(lab):
    narrow(lab)
    pki = Pki()
    # One that the gateway doesn't know, so that it has to come along.
    users = made.Authority("Example,Users", issuer=pki.root)
    client = pki.client("email:alice@example.com", issuer=users)
    with Gateway(lab, Connection("alice@example.com", auth="certificate", **pki.gateway())) as gateway:
        tunnel = Dialtone(lab, profile(**pki.settings(lab, client), **UNASKED))
        tunnel.connect(20)
        expect(re.search(r"splitting IKE message .*into \d+ fragments", gateway.text()),
               "strongSwan sent its certificates whole")
        expect("received fragment #" in gateway.text(), "ours went whole")
        expect(dropped(lab) == 0, f"{dropped(lab)} packets were too long for the path")
        lab.serve_office()
        expect_ping(lab, lab.sites[0].host)
        tunnel.disconnect()


@case("chains of certificates don't get through without fragmentation", seconds=60)
def _(lab):
    narrow(lab)
    pki = Pki()
    client = pki.client("email:alice@example.com")
    with Gateway(lab, Connection("alice@example.com", auth="certificate", ike={"fragmentation": "no"},
                                 **pki.gateway())):
        tunnel = Dialtone(lab, profile(**pki.settings(lab, client)))
        tunnel.start()
        code = tunnel.wait_exit(40)
        expect(code == 5, f"it ended with {code}: {tunnel.stderr()[-300:]}")
        expect(dropped(lab) > 0, "nothing was too long")


@case("strongSwan's answers in fragments of 500 bytes are put together")
def _(lab):
    with Gateway(lab, connection(), charon={"fragment_size": 500}) as gateway:
        client = Dialtone(lab, profile(**LARGE))
        client.connect(15)
        sent = re.findall(r"splitting IKE message .*into (\d+) fragments", gateway.text())
        expect(sent and int(sent[0]) > 1, f"strongSwan split into {sent}")
        client.disconnect()


@case("without fragmentation the same path is too narrow", seconds=60)
def _(lab):
    narrow(lab)
    with Gateway(lab, connection(ike={"fragmentation": "no"})):
        client = Dialtone(lab, profile(Network__RetryFor="0s", **LARGE))
        client.start()
        code = client.wait_exit(40)
        expect(code == 9, f"it ended with {code}: {client.stderr()[-300:]}")
        expect(dropped(lab) > 0, "nothing was too long")


main()
