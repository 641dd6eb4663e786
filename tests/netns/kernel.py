#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 900 s, full: 900 s
"""Gateways whose kernel does ESP, raw and in UDP: strongSwan, and libreswan, the second opinion on
everything that the other files ask of strongSwan."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import Dialtone, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from machine import Machine, unpacked  # noqa: E402
from measure import expect_ping, expect_tcp  # noqa: E402

PSK = "correct horse battery staple"
COMMON = """
config setup
    nssdir={d}
    ipsecdir={d}
    dumpdir={d}
    secretsfile={d}/secrets
    uniqueids=no
    ikev1-policy=accept
    virtual-private=%v4:10.0.0.0/8
    protostack=xfrm

conn dialup
    keyexchange=ike
    ikev2=no
    authby=secret
    aggressive=yes
    type=tunnel
    left={address}
    leftid=@gw.example.com
    leftsubnet={lan}
    right=%any
    rightid={identity}
    ike={ike}
    phase2alg={esp}
    pfs=no
    rekey=no
    dpddelay=20
    dpdtimeout=60
    dpdaction=clear
    ikelifetime=8h
    salifetime=1h
    encapsulation=auto
    nat-ikev1-method=both
    leftxauthserver=yes
    rightxauthclient=yes
    leftmodecfgserver=yes
    rightmodecfgclient=yes
    modecfgpull={pull}
    modecfgdns={dns}
    modecfgdomains=lan.example.com
    modecfgbanner="{banner}"
    rightaddresspool=10.20.2.10-10.20.2.200
    xauthby=file
    cisco-unity=yes
    auto=add
"""
# pluto wants its libexec folder in its place and `ipsec` in PATH.
START = """
mount --bind {unpacked}/usr/libexec /usr/libexec
export PATH={unpacked}/usr/sbin:$PATH LD_LIBRARY_PATH={unpacked}/usr/lib/x86_64-linux-gnu
mkdir -p /run/pluto
/usr/libexec/ipsec/pluto --config {d}/conf --rundir /run/pluto --secretsfile {d}/secrets --ipsecdir {d} \\
    --nssdir {d} --logfile {d}/../pluto.log --no-dnssec
i=0; while [ ! -S /run/pluto/pluto.ctl ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
/usr/libexec/ipsec/whack --ctlsocket /run/pluto/pluto.ctl --listen
/usr/libexec/ipsec/addconn --config {d}/conf --ctlsocket /run/pluto/pluto.ctl --autoall
"""


def libreswan(lab, identity, **more):
    """The script that starts a gateway for one identity; its users are carol alone."""
    site, files, folder = lab.sites[0], unpacked(), os.path.join(lab.folder, "pluto")
    os.makedirs(folder)
    libraries = {**os.environ, "LD_LIBRARY_PATH": f"{files}/usr/lib/x86_64-linux-gnu"}
    subprocess.run([f"{files}/usr/bin/certutil", "-N", "-d", f"sql:{folder}", "--empty-password"],
                   check=True, env=libraries, stdout=subprocess.DEVNULL)
    hashed = subprocess.run(["openssl", "passwd", "-6", "carol-password"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout.strip()
    texts = {
        "conf": COMMON.format(
            d=folder, address=site.address, lan=site.lan, identity=identity, dns=site.dns,
            ike=more.get("ike", "aes128-sha1;modp1536,aes256-sha2_256;modp2048"),
            esp=more.get("esp", "aes128-sha1,aes256-sha2_256,aes_gcm256-null"),
            pull=more.get("pull", "yes"), banner=more.get("banner", "Welcome to libreswan")),
        "secrets": f'@gw.example.com {identity} : PSK "{PSK}"\n: PSK "{PSK}"\n',
        "passwd": f"carol:{hashed}:\n"}
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return START.format(unpacked=files, d=folder)


def carries(lab, script, groups, secrets=None):
    """Connects to the gateway in the machine and sees its kernel do ESP both ways; returns what
    `connected` said and the kernel's SAs."""
    site = lab.sites[0]
    with Machine(lab, script) as machine:
        lab.serve_office()
        client = Dialtone(lab, groups, secrets)
        event = client.connect(30)
        wait_until(lambda: machine.shell("ip xfrm state").count("proto esp") == 2, 60,
                   "the gateway has its SAs", step=0.5)
        expect_ping(lab, site.host)
        expect_ping(lab, event["address"].split("/")[0], node=site.office)
        up, down = expect_tcp(lab, site.host, 3, least=0.5e6)
        print(f"# {up / 1e6:.0f} Mbit/s up, {down / 1e6:.0f} Mbit/s down, {event['phase2'][0]}")
        states = machine.shell("ip xfrm state")
        expect(states.count("proto esp") == 2, f"ESP is not the kernel's: {states}")
        client.disconnect()
        wait_until(lambda: "proto esp" not in machine.shell("ip xfrm state"), 60,
                   "the gateway has forgotten its SAs", step=0.5)
    return event, states


def with_user(lab, **settings):
    groups = profile(**{"Phase2__Networks": lab.sites[0].lan, "UserAuth__XAuth": "required", **settings})
    return groups, secrets_text(psk=PSK, User="carol", Password="carol-password")


@case("strongSwan: ESP in UDP by its kernel", seconds=200)
def _(lab):
    connection = Connection("alice@example.com", proposals="aes256-sha256-modp2048", esp="aes256-sha256")
    _, states = carries(lab, Gateway(lab, connection, kernel_esp=True).script(),
                        profile(proposals="aes256-sha256-modp2048", phase2="aes256-sha256"))
    expect("espinudp" in states, f"not in UDP: {states}")


@case("strongSwan: ESP as IP protocol 50 by its kernel", nat=False, seconds=200)
def _(lab):
    connection = Connection("alice@example.com", esp="aes256gcm16")
    event, states = carries(lab, Gateway(lab, connection, kernel_esp=True).script(),
                            profile(phase2="aes256gcm16", Quirks__NatT="off"))
    expect(event["nat"] == "none", f"nat is {event['nat']}")
    expect("espinudp" not in states, f"in UDP: {states}")


@case("libreswan: an email ID, XAUTH and mode config, ESP in UDP by its kernel", seconds=200)
def _(lab):
    script = libreswan(lab, "alice@example.com")
    event, states = carries(lab, script, *with_user(lab, proposals="aes128-sha1-modp1536"))
    expect(event["address"].startswith("10.20.2."), f"the address is {event['address']}")
    expect("Welcome to libreswan" in event["banner"], f"banner {event['banner']!r}")
    expect("espinudp" in states, f"not in UDP: {states}")


@case("libreswan: a banner that makes it pad the attribute payload, ESP as IP protocol 50", nat=False,
      seconds=200)
def _(lab):
    script = libreswan(lab, "@laptop.example.com", banner="Hi")
    _, states = carries(lab, script, *with_user(
        lab, identity="laptop.example.com", proposals="aes256-sha256-modp2048", phase2="aes256gcm16",
        Quirks__NatT="off"))
    expect("espinudp" not in states, f"in UDP: {states}")


@case("libreswan on this machine's kernel: aggressive mode, XAUTH and mode config run to the end", seconds=90)
def _(lab):
    """Where the kernel has no ESP, Quick Mode fails at the gateway; what is before it does not."""
    script = os.path.join(lab.folder, "pluto.sh")
    with open(script, "w", encoding="utf-8") as file:
        file.write(libreswan(lab, "alice@example.com"))
    lab.start("gateway", "sh", script, log="pluto.out")
    log = lambda: lab.read_log("pluto.log")  # noqa: E731
    wait_until(lambda: "added IKEv1 connection" in log(), 15, "pluto has the connection")
    groups = profile(proposals="aes128-sha1-modp1536", Phase2__Networks=lab.sites[0].lan,
                     UserAuth__XAuth="required")
    client = Dialtone(lab, groups, secrets_text(psk=PSK, User="carol", Password="carol-password"))
    client.start()
    client.wait_state("phase2", 15)
    expect("IKE SA established" in log(), f"no Phase 1: {log()[-900:]}")
    expect("login_name" in log() or "User carol: Authentication Successful" in log(), f"{log()[-900:]}")
    client.disconnect()


main()
