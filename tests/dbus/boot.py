#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 180 s, full: 180 s
"""What leaves while a machine boots: the program of dialtone-boot.service, run before there is a link."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from beside import COLUMNS, INTERNET, PYTHON, Link, compare, release, silent, wait_protected  # noqa: E402
from bus import call  # noqa: E402
from cases import main  # noqa: E402
from client import secrets_text  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, run, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import ALLOW, CONNECTION, NAME, TAKE_OVER, objects, service_case, system_profile  # noqa: E402
from service_kit import system_secret  # noqa: E402

UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
WHOLE = Connection("alice@example.com", local_ts="0.0.0.0/0")
POLICY = "/etc/dialtone/policy.conf"
FLOOD = ("import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nwhile True:\n"
         f" try: s.sendto(b'x', ('{INTERNET}', 4242))\n except OSError: pass\n time.sleep(0.001)")
SHUT, OPEN = ["nothing"] * 9, ["leaves"] * 7


def write_policy(text):
    os.makedirs("/etc/dialtone", exist_ok=True)
    with open(POLICY + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(POLICY + ".new", POLICY)


def always_on(**more):
    """The administrator's: a profile with a kill switch that is always on."""
    whole = {"Phase2__Networks": "0.0.0.0/0", "Network__KillSwitch": "yes", "Secrets__PSK": "system", **more}
    system_profile("Corp", Profile__UUID=UUID, **whole)
    write_policy("[Policy]\nAlwaysOn=Corp\n")


def boot(lab, bus, code=0):
    """Runs what the unit runs, and returns what it says."""
    done = subprocess.run(lab.inside("client", f"{bus.build}/client/boot/dialtone-boot"), capture_output=True,
                          text=True, timeout=20, check=False)
    expect(done.returncode == code, f"it ended with {done.returncode}: {done.stderr}")
    return done.stderr


def tables(lab):
    return lab.run("client", "nft", "list", "ruleset")


def down(lab):
    lab.ip("client", "link", "set", "eth0", "down")


def state(bus):
    return [c["State"] for c in objects(bus, CONNECTION).values()]


@service_case("F6: from before the first link is up nothing leaves, until what is always on is connected", 110,
              connection=WHOLE, same=False)
def _(lab, bus, alice, bob):
    down(lab)
    always_on()
    system_secret(bus, UUID, secrets_text())
    expect(boot(lab, bus) == "", "it complains")
    lab.start("client", PYTHON, "-c", FLOOD, log="flood.log")
    silent(lab)
    link, rows = Link(lab, is_down=True), {}
    rows["before the service"] = link.row()
    wait_until(lambda: state(bus) == ["phase1"], 10, "the service calls the gateway")
    rows["connecting"] = link.row()
    lab.allow_at("gateway")
    # On a busy machine the first attempt may have ended by now; the next one follows after 30 s.
    wait_until(lambda: state(bus) == ["connected"], 60, "it is connected")
    wait_protected(lab, link.inner)
    expect_ping(lab, lab.sites[0].host)
    rows["connected"] = link.row()
    compare("From the boot on", "service", rows)
    left = [f for f in link.frames() if f[2] == INTERNET]
    expect(not left, f"{len(left)} packets left meanwhile: {left[:3]}")
    # It was taken over, so that an end by whoever may is one.
    connection = next(iter(objects(bus, CONNECTION)))
    bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))
    wait_until(lambda: "dialtone" not in tables(lab), 5, "no table is left")
    wait_until(lambda: [f for f in link.frames() if f[2] == INTERNET], 5, "what was held back all the time leaves")


@service_case("F6: what stands since the boot is opened by nobody's connection, and by the word of who may", 60,
              connection=WHOLE, same=False, rule=ALLOW + TAKE_OVER)
def _(lab, bus, alice, bob):
    down(lab)
    # It lacks its secret, so that the service can't connect it.
    always_on(Network__KillSwitch="persistent")
    boot(lab, bus)
    link = Link(lab, is_down=True)
    expect(link.row() == SHUT, "it leaks")
    for kill_switch in ("no", "yes"):
        expect(bob.connect(Network__KillSwitch=kill_switch)[-1]["state"] == "connected", "bob is cut off")
        bob.dialtone("disconnect", "Office")
    alice.dialtone("disconnect", "Corp", code=10)
    alice.dialtone("disconnect", "Corp", "--release-kill-switch", code=10)
    expect(link.row() == SHUT, "it was opened")
    expect("Corp: Its kill switch was left behind" in bob.dialtone("status").stdout, "nobody is told")
    # Once more, which changes nothing; then as it is wanted by now.
    boot(lab, bus)
    wait_until(lambda: tables(lab).count("table inet") == 1, 5, "there is one table")
    release(lab)
    expect(link.row()[:7] == OPEN, "it was not released")
    boot(lab, bus)
    expect(link.row() == SHUT, "it was not set again")
    os.unlink(POLICY)
    boot(lab, bus)
    expect("dialtone" not in tables(lab), "it stands though nothing says so")


@service_case("F6: what is wrong in a file blocks everything where something is always on, else nothing, aloud", 60,
              connection=False, same=False)
def _(lab, bus, alice, bob):
    down(lab)
    wrong = "/etc/dialtone/profiles/corp.dialtone"
    for policy, profile, shut, words in (
            ("[Policy]\nAlwayson=Corp\n", None, True, (f"{POLICY}:2: ", "everything is blocked")),
            ("[Policy]\nAlwaysOn=Nobody\n", None, True, ("everything is blocked", "--release-kill-switch")),
            ("[Policy]\nAlwaysOn=Corp\n", "[Network]\nKillSwitch=perhaps\n", True,
             (f"{wrong}:2: ", "everything is blocked")),
            ("[Policy]\nUserProfiles=no\n", "[Network]\nKillSwitch=perhaps\n", False,
             (f"{wrong}:2: ", "nothing is blocked"))):
        write_policy(policy)
        os.makedirs(os.path.dirname(wrong), exist_ok=True)
        with open(wrong, "w", encoding="utf-8") as file:
            file.write(profile or "")
        if not profile:
            os.unlink(wrong)
        said = boot(lab, bus)
        expect(all(word in said for word in words), f"{policy} {profile}: {said}")
        expect(("drop" in tables(lab)) == shut, f"{policy} {profile}: {tables(lab)}")
    # A file that others can write to may be anybody's.
    always_on(Network__KillSwitch="no")
    expect(boot(lab, bus) == "" and "drop" not in tables(lab), "what has no kill switch is blocked")
    os.chmod(POLICY, 0o666)
    expect("everything is blocked" in boot(lab, bus) and "drop" in tables(lab), "anybody's policy counts")
    link = Link(lab, is_down=True)
    expect(link.row() == SHUT, "it leaks")
    release(lab)
    # A profile that is connected at boot, and not always: its own networks, and nothing for one with rules.
    os.unlink(POLICY)
    host = lab.sites[0].host
    system_profile("Corp", Network__Autoconnect="yes", Network__KillSwitch="yes", Phase2__Networks="10.10.0.0/24")
    expect(boot(lab, bus) == "", "it complains")
    left = link.send(f"{host},9", f"{INTERNET},9")
    expect(left == [f"{INTERNET},9"], f"these left: {left}")
    system_profile("Corp", Network__Autoconnect="yes", Network__KillSwitch="yes", Rules__Never="ssid:Office")
    said = boot(lab, bus)
    expect("[Rules]" in said and "dialtone" not in tables(lab), f"{said} {tables(lab)}")


@service_case("F6: where nothing can be blocked the program fails, and says what is open", 30, connection=False)
def _(lab, bus, alice, bob):
    always_on()
    with open("/run/empty", "w", encoding="ascii"):
        pass
    libraries = [line.split()[-1] for line in run(["ldconfig", "-p"]).splitlines() if "libnftables.so.1" in line]
    for path in libraries:
        run(["mount", "--bind", "/run/empty", path])
    try:
        said = boot(lab, bus, code=1)
    finally:
        for path in libraries:
            run(["umount", path])
    expect('"Corp" is not blocked' in said, said)
    expect(not [n for n in os.listdir("/run/dialtone") if "firewall" in n], "a record was left")


expect(len(COLUMNS) == len(SHUT), "the table has other columns")
main()
