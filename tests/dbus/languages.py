#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""The words of the command line and of the service, read by a German: the service speaks English to
programs, and its sentences are translated where they are read. The catalogs are those of the build;
the locale is made here, so none needs to be installed."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import add_layer  # noqa: E402
from cases import main  # noqa: E402
from client import binary, profile, profile_text, secrets_text  # noqa: E402
from lab import expect, run  # noqa: E402
from service_kit import service_case  # noqa: E402

BUILD = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(binary())))) \
    if sys.argv[1:] != ["--conversations"] else None


def locale_folder():
    """Where the programs look for catalogs."""
    said = subprocess.run(["meson", "introspect", "--buildoptions", BUILD], capture_output=True, check=True).stdout
    options = {option["name"]: option["value"] for option in json.loads(said)}
    return os.path.join(options["prefix"], options["localedir"])


def use_catalogs():
    """The sandbox's own mounts."""
    folder = locale_folder()
    if os.path.ismount(folder):
        return
    if not os.path.isdir(folder):
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", os.path.dirname(folder)])
        os.mkdir(folder)
    run(["mount", "--bind", os.path.join(BUILD, "po"), folder])


def speak_german(person):
    """The person's commands are run in that locale from now on. It stands where the C library looks by
    itself: what it reads for LOCPATH it never frees."""
    use_catalogs()
    add_layer("/usr/lib/locale")
    if not os.path.isdir("/usr/lib/locale/de_DE.utf8"):
        run(["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8", "/usr/lib/locale/de_DE.utf8"])
    english = person.words
    person.words = lambda *words: [word.replace("LC_ALL=C.UTF-8", "LC_ALL=de_DE.UTF-8")
                                   for word in english(*words)]


@service_case("a German reads the command line's errors and help in German", connection=False)
def _(lab, bus, alice, bob):
    speak_german(alice)
    said = alice.dialtone("frobnicate", code=2).stderr
    expect("den Befehl „frobnicate“ gibt es nicht" in said, f"an unknown command: {said}")
    said = alice.dialtone("connect", "--wait", "0", "Office", code=2).stderr
    expect("--wait nimmt 1 bis 3600 Sekunden an" in said, f"a wrong option: {said}")
    said = alice.dialtone("--help").stdout
    expect("Befehle:" in said and "einen Tunnel abbauen" in said, f"the help: {said}")
    many = ";".join(f"10.{i}.0.0/16" for i in range(80))
    path = alice.file("office.dialtone", profile_text(profile(Phase2__Networks=many)))
    said = alice.dialtone("check", path, code=3)
    expect("Einträge; lassen Sie einige weg" in said.stdout + said.stderr, f"a plural: {said}")
    path = alice.file("office.dialtone", profile_text(profile(identity="192.0.2.1")))
    said = alice.dialtone("check", path, code=3)
    expect("eine IP-Adresse kann nicht die ID eines Einwahlclients sein" in said.stdout + said.stderr,
           f"a mistake: {said}")
    said = json.loads(alice.dialtone("check", "--json", path, code=3).stdout)
    expect("an IP address can't be the ID" in json.dumps(said), f"JSON has no language: {said}")
    expect("there is no command 'frobnicate'" in bob.dialtone("frobnicate", code=2).stderr, "bob's are English")


@service_case("what the service says is translated for who reads it, and for no program")
def _(lab, bus, alice, bob):
    speak_german(alice)
    event = alice.connect(secrets=secrets_text("wrong"), code=7)[-1]
    expect(event["message"].startswith("The preshared key is not the one that the gateway"), f"JSON: {event}")
    expect(event["advice"].startswith("The hash in the gateway's answer"), f"JSON: {event}")
    path, given = alice.file("office.dialtone", profile_text(profile())), alice.file("secrets", secrets_text("wrong"))
    said = alice.dialtone("connect", "--secrets", given, path, code=7).stderr
    expect("failed: Der Pre-shared Key ist nicht der, den das Gateway 203.0.113.2" in said and
           "für Ihre ID hat." in said, f"connect: {said}")
    expect("Der Hash in der Antwort des Gateways stimmt nicht." in said and
           "ob dieser der von alice@example.com ist" in said, f"the advice: {said}")
    expect("Office: failed: Der Pre-shared Key" in alice.dialtone("status").stdout, "status is not translated")
    expect("The preshared key is not" in alice.dialtone("log").stdout, "the log's lines are for all")
    said = alice.dialtone("connect", "--no-wait", "Unbekannt", code=3).stderr
    expect("es gibt kein Profil „Unbekannt“" in said, f"no such profile: {said}")
    said = bob.dialtone("connect", "--secrets", bob.file("secrets", secrets_text("wrong")),
                        bob.file("other.dialtone", profile_text(profile(Profile__Name="Other"))), code=7).stderr
    expect("The preshared key is not the one that" in said, f"bob reads English: {said}")


main()
