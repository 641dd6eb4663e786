#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""Connection rules: what connects and disconnects by itself, where NetworkManager says that we are."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import SOCKET, Caller, GLib, call  # noqa: E402
from cases import main  # noqa: E402
from client import check_failed, profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from mockbus import NetworkManager  # noqa: E402
from service_kit import (ALLOW, CONNECTION, MANAGER, NAME, PROFILE, TOP, log_out, objects, remember,  # noqa: E402
                         service_case, system_profile, system_secret)

UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
OFFICE = "Office;Wi-Fi".encode()


def manager(lab, bus):
    bus.let_own(NetworkManager.name)
    return NetworkManager(lab, f"unix:path={SOCKET}")


def states(bus):
    return [connection["State"] for connection in objects(bus, CONNECTION).values()]


def rule_says(bus, word):
    wait_until(lambda: [p["Rule"] for p in objects(bus, PROFILE).values()] == [word], 10,
               f"the rule says {word}: {objects(bus, PROFILE)}")


def log(bus):
    return [line[2] for line in bus.as_user(
        0, lambda: call(NAME, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 1000)[0])]


def agent(user, text=None):
    """A program of the user's that stays, and knows no secret; with it a profile of theirs."""
    def stay(say):
        if text:
            call(NAME, f"{TOP}/manager", MANAGER, "AddProfile", "(sa{sv})", text, {})
        call(NAME, f"{TOP}/manager", MANAGER, "RegisterAgent", "(oa{sv})", "/agent", {})
        say(True)
        GLib.MainLoop().run()
    caller = Caller(user.uid, stay)
    caller.hear()
    return caller


def corp(bus, **more):
    system_secret(bus, UUID, secrets_text())
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", **more)


@service_case("a rule connects on a network that is not trusted, and disconnects on one that is", 90)
def _(lab, bus, alice, bob):
    corp(bus, Rules__Connect="untrusted", Rules__Trusted=f"ssid:0x{OFFICE.hex()};network:Dock")
    rule_says(bus, "unknown")
    expect(any("can't be judged" in line for line in log(bus)) and not states(bus), f"a guess: {log(bus)}")
    with manager(lab, bus) as networks:
        office, dock = networks.network("Work", OFFICE), networks.network("Dock")
        # Called as the office's up to its `;`.
        cafe = networks.network("Caf\u00e9", b"Office")
        networks.join(networks.network("Work", b"Office", state=1))
        rule_says(bus, "nowhere")
        networks.join(cafe)
        wait_until(lambda: states(bus) == ["connected"], 15, "it connects in the cafe")
        expect_ping(lab, lab.sites[0].host)
        # A trusted network beside it protects nothing; as the way out it does.
        networks.join(cafe, dock)
        networks.join(office, cafe)
        wait_until(lambda: not states(bus), 10, "it disconnects in the office")
        rule_says(bus, "trusted")
        networks.join()
        rule_says(bus, "nowhere")
        networks.join(dock)
        rule_says(bus, "trusted")
        networks.join(cafe)
        wait_until(lambda: states(bus) == ["connected"], 15, "it connects again")
    rule_says(bus, "unknown")
    expect(states(bus) == ["connected"], "it ends when NetworkManager does")
    connects = [line for line in log(bus) if "rule: connects" in line]
    expect(len(connects) == 2, f"it has connected {len(connects)} times")
    connection, = objects(bus, CONNECTION)
    bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))


@service_case("who disconnects what a rule has connected is left alone until the network changes", 90)
def _(lab, bus, alice, bob):
    corp(bus, Rules__Connect="always", Access__Users="alice")
    others = agent(bob)
    own = agent(alice)
    with manager(lab, bus) as networks:
        cafe, hotel = networks.network("Cafe", b"Cafe"), networks.network("Hotel", b"Hotel")
        networks.join(cafe)
        wait_until(lambda: states(bus) == ["connected"], 15, "it connects in the cafe")
        expect([c["Owner"] for c in objects(bus, CONNECTION).values()] == [alice.uid], "it is not alice's")
        alice.dialtone("disconnect", "Corp")
        networks.join()
        rule_says(bus, "nowhere")
        networks.join(cafe)
        rule_says(bus, "untrusted")
        networks.join(hotel)
        wait_until(lambda: states(bus) == ["connected"], 15, "it connects in the hotel")
        connects = [line for line in log(bus) if "rule: connects" in line]
        expect(len(connects) == 2, f"it has connected {len(connects)} times")
        alice.dialtone("disconnect", "Corp")
        expect(alice.connect(what="Corp")[-1]["state"] == "connected", "by hand it does not connect")
        alice.dialtone("disconnect", "Corp")
    others.kill()
    own.kill()


def kill(bus, meanwhile=None):
    """The service, which the bus starts again when it is asked next."""
    pid = bus.owner_pid(NAME)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: bus.owner_pid(NAME) != pid, 10, "the service has gone")
    if meanwhile:
        meanwhile()


@service_case("who has disconnected what a rule wants is left alone by the next service, too, until the network changes",
              90)
def _(lab, bus, alice, bob):
    remember(bus)
    corp(bus, Rules__Connect="always")
    with manager(lab, bus) as networks:
        cafe, hotel = networks.network("Cafe", b"Cafe"), networks.network("Hotel", b"Hotel")
        networks.join(cafe)
        wait_until(lambda: states(bus) == ["connected"], 15, "it connects in the cafe")
        kill(bus)
        wait_until(lambda: states(bus) == ["connected"], 15, "that it was killed is no word of a user's")
        connection, = objects(bus, CONNECTION)
        bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))
        wait_until(lambda: any(name.endswith(".hold") for name in os.listdir("/run/dialtoned")), 5, "it is kept")
        for _ in range(2):
            kill(bus)
            rule_says(bus, "untrusted")
            expect(not states(bus), f"it connects again: {log(bus)}")
        # Moved while nobody looked.
        kill(bus, lambda: networks.join(hotel))
        wait_until(lambda: states(bus) == ["connected"], 15, "it connects in the hotel")
        expect(not any(name.endswith(".hold") for name in os.listdir("/run/dialtoned")), "it is still held")
        connection, = objects(bus, CONNECTION)
        bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))
        expect(alice.connect(what="Corp")[-1]["state"] == "connected", "by hand it does not connect")
        alice.dialtone("disconnect", "Corp")


@service_case("a password of the machine's that was refused is not sent again by the next service, unless it changed",
              90, connection=Connection("alice@example.com", users={"carol": "right"}))
def _(lab, bus, alice, bob):
    def secret(password):
        system_secret(bus, UUID, secrets_text(User="carol", Password=password))

    def sent():
        return sum("XAuth authentication of 'carol'" in line for line in lab.gateway.text().splitlines())

    remember(bus)
    secret("wrong")
    system_profile("Corp", Profile__UUID=UUID, UserAuth__XAuth="required", Secrets__PSK="system",
                   Secrets__Password="system", Network__Autoconnect="yes")
    wait_until(lambda: states(bus) == ["failed"], 20, "it is refused")
    wait_until(lambda: any(name.endswith(".hold") for name in os.listdir("/run/dialtoned")), 5, "it is kept")
    before = sent()
    for _ in range(2):
        kill(bus)
        wait_until(lambda: objects(bus, PROFILE), 10, "the next service has the profile")
        expect(not states(bus) and sent() == before, f"it was tried again: {log(bus)}")
    kill(bus, lambda: secret("right"))
    wait_until(lambda: states(bus) == ["connected"], 15, "it connects with another password")
    connection, = objects(bus, CONNECTION)
    bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))


@service_case("a logout ends what a rule has connected, and the next login has it again on the same network", 90)
def _(lab, bus, alice, bob):
    # Its secrets are hers, so without her it is not connected for root.
    system_profile("Corp", Rules__Connect="always", Access__Users="alice")
    own = agent(alice)
    with manager(lab, bus) as networks:
        networks.join(networks.network("Home", b"Home"))
        wait_until(lambda: states(bus) == ["needs-secrets"], 15, "it connects")
        own.kill()
        logind = Caller(0, lambda say: log_out(say, alice.uid))
        logind.hear()
        wait_until(lambda: not states(bus), 10, "it ends with alice's session")
        own = agent(alice)
        wait_until(lambda: states(bus) == ["needs-secrets"], 15, "it connects again when she comes")
        alice.dialtone("disconnect", "Corp")
        logind.kill()
    own.kill()


@service_case("a rule connects for users of a directory that the service itself can't reach", 60)
def _(lab, bus, alice, bob):
    with open("/etc/nsswitch.conf", encoding="ascii") as file:
        before = file.read()
    with open("/etc/nsswitch.conf", "w", encoding="ascii") as file:
        # A library, as for any directory but the files.
        file.write("".join("passwd: compat\n" if line.startswith("passwd:") else line
                           for line in before.splitlines(keepends=True)))
    try:
        corp(bus, Rules__Connect="always", Access__Users="alice")
        with manager(lab, bus) as networks:
            networks.join(networks.network("Cafe", b"Cafe"))
            others, own = agent(bob), agent(alice)
            wait_until(lambda: states(bus) == ["connected"], 15, "it connects")
            expect([c["Owner"] for c in objects(bus, CONNECTION).values()] == [alice.uid], "it is not alice's")
            alice.dialtone("disconnect", "Corp")
            others.kill()
            own.kill()
    finally:
        with open("/etc/nsswitch.conf", "w", encoding="ascii") as file:
            file.write(before)


@service_case("a password of the machine's that is refused is sent again when a secret or the profile changes, not before",
              90, connection=Connection("alice@example.com", users={"carol": "right"}))
def _(lab, bus, alice, bob):
    def refusals():
        return sum("does not connect by itself again" in line for line in log(bus))

    def is_refused(after):
        wait_until(lambda: refusals() > after, 20, "it is refused")
        expect(not any("tried again in" in line for line in log(bus)), f"it would be tried again: {log(bus)}")
        return refusals()

    def secret(password):
        system_secret(bus, UUID, secrets_text(User="carol", Password=password))

    more = {"Profile__UUID": UUID, "UserAuth__XAuth": "required", "Secrets__PSK": "system",
            "Secrets__Password": "system"}
    secret("wrong")
    system_profile("Corp", Network__Autoconnect="yes", **more)
    once = is_refused(0)
    secret("wrong, too")
    once = is_refused(once)
    with manager(lab, bus) as networks:
        cafe, hotel = networks.network("Cafe", b"Cafe"), networks.network("Hotel", b"Hotel")
        networks.join(cafe)
        system_profile("Corp", Rules__Connect="always", **more)
        once = is_refused(once)
        for network in (hotel, cafe):
            networks.join()
            rule_says(bus, "nowhere")
            networks.join(network)
            rule_says(bus, "untrusted")
        expect(states(bus) == ["failed"] and refusals() == once, f"a network is no new password: {log(bus)}")
        secret("right")
        wait_until(lambda: states(bus) == ["connected"], 15, "it connects")
        connection, = objects(bus, CONNECTION)
        bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))


@service_case("on a network of Never nothing is connected, by hand neither, and the user is told why", 90)
def _(lab, bus, alice, bob):
    system_profile("Corp", Rules__Never="network:Office LAN", Rules__Connect="untrusted", Rules__Trusted="ssid:Home")
    with manager(lab, bus) as networks:
        home, office = networks.network("Home", b"Home"), networks.network("Office LAN")
        networks.join(office)
        rule_says(bus, "never")
        event = alice.connect(what="Corp", code=12)[-1]
        check_failed(event, "policy")
        expect("Never=network:Office LAN" in event["message"] and "[Rules]" in event["advice"], f"{event}")
        networks.join(home)
        rule_says(bus, "trusted")
        expect(alice.connect(what="Corp")[-1]["state"] == "connected", "by hand it does not connect")
        # Beside another way out, too.
        networks.join(home, office)
        wait_until(lambda: states(bus) == ["failed"], 10, "it is taken down")
        expect(alice.status()[0]["reason"] == "policy", f"alice is not told: {alice.status()}")
        networks.join(home)
        rule_says(bus, "trusted")
        expect(alice.connect(what="Corp")[-1]["state"] == "connected", "it is refused still")
        alice.dialtone("disconnect", "Corp")


@service_case("a rule of a user's connects only for whom polkit would let connect", rule=None)
def _(lab, bus, alice, bob):
    with manager(lab, bus) as networks:
        networks.join(networks.network("Cafe", b"Cafe"))
        own = agent(alice, profile_text(profile(Identity__Auth="psk", Rules__Connect="always")))
        wait_until(lambda: any("polkit does not let" in line for line in log(bus)), 10, "polkit is asked")
        expect(not states(bus), "it connects all the same")
        own.kill()
        wait_until(lambda: not objects(bus, PROFILE), 10, "the profile goes with its agent")
        bus.polkit(ALLOW)
        own = agent(alice, profile_text(profile(Identity__Auth="psk", Rules__Connect="always")))
        wait_until(lambda: states(bus) == ["needs-secrets"], 10, f"it connects: {states(bus)}")
        alice.dialtone("disconnect", "--all")
        own.kill()


@service_case("a network that wants a web page met first is told of in the state, as long as it does")
def _(lab, bus, alice, bob):
    def advice():
        return alice.status()[0].get("advice") or ""

    named = lab.read_resolv_conf().decode()
    lab.write_resolv_conf("")  # so that a name is out of reach at once
    with manager(lab, bus) as networks:
        check_failed(alice.connect(code=5, Gateway__Address="vpn.example.invalid")[-1], "unreachable")
        expect("web page" not in advice(), f"there is no portal: {alice.status()}")
        networks.set_connectivity(networks.PORTAL)
        wait_until(lambda: "web page" in advice(), 10, f"the portal is told: {alice.status()}")
        networks.set_connectivity(networks.FULL)
        wait_until(lambda: "web page" not in advice(), 10, "the portal is gone")
        expect(states(bus) == ["failed"], f"the state is {states(bus)}")
        networks.set_connectivity(networks.PORTAL)
        alice.connect(code=5, Gateway__Address="vpn.example.invalid")
        wait_until(lambda: "web page" in advice(), 10, f"it is asked for: {alice.status()}")
        expect(alice.connect()[-1]["state"] == "connected", "it does not connect")
        expect("web page" not in advice(), "what is connected needs no advice")
        alice.dialtone("disconnect")
    lab.write_resolv_conf(named)


main()
