#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""What desktops and software centres read of the project, judged by their own tools."""

import glob
import os
import re
import sys
import tempfile
import xml.dom.minidom

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import case, main  # noqa: E402
from desktop import Desktop  # noqa: E402
from lab import ROOT, Failure, expect, run  # noqa: E402
from service_kit import service_case  # noqa: E402

DATA = os.path.join(ROOT, "data")
LANGUAGES = ("de", "es", "fr", "ja", "zh_CN")
OWN_TYPE = re.compile(r"G_DECLARE_FINAL_TYPE\((\w+), \w+, \w+, \w+,\s*(\w+)\)")
# What makes each of them wrong: what stands there, and what stands there instead.
FAULTS = {"org.dialtone.Dialtone.desktop": ("Type=Application", "Type=Aplication"),
          "org.dialtone.Dialtone.metainfo.xml": ("<metadata_license>CC0-1.0</metadata_license>", ""),
          "org.dialtone.Dialtone.gschema.xml": ('type="b"', 'type="s"')}


def validate(folder):
    run(["desktop-file-validate", f"{folder}/org.dialtone.Dialtone.desktop"])
    run(["appstreamcli", "validate", "--no-net", f"{folder}/org.dialtone.Dialtone.metainfo.xml"])


def validate_settings(folder, made):
    run(["glib-compile-schemas", "--strict", f"--targetdir={made}", folder])


def refuses(judge, *words):
    try:
        judge(*words)
    except (Failure, RuntimeError):
        return True
    return False


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o644)


@case("the entry in menus and the metainfo are what their tools want", lab=False)
def _():
    validate(DATA)


@case("the metainfo has the pictures where the build knows their address, each with its words, and else none",
      lab=False)
def _():
    name = "org.dialtone.Dialtone.metainfo.xml"
    with tempfile.TemporaryDirectory() as folder:
        run(["meson", "setup", f"{folder}/with", ROOT, "-Dpictures_url=https://dialtone.example/pictures"])
        run(["meson", "setup", f"{folder}/without", ROOT])
        for build in ("with", "without"):
            run(["ninja", "-C", f"{folder}/{build}", f"data/{name}"])
            run(["appstreamcli", "validate", "--no-net", f"{folder}/{build}/data/{name}"])
        with_them, without = [xml.dom.minidom.parse(f"{folder}/{build}/data/{name}") for build in ("with", "without")]
    expect(not without.getElementsByTagName("screenshots"), "an address that nobody gave")
    shown = with_them.getElementsByTagName("screenshot")
    found = [picture.getElementsByTagName("image")[0].firstChild.data for picture in shown]
    there = os.listdir(f"{ROOT}/docs/pictures")
    expect(sorted(found) == sorted(f"https://dialtone.example/pictures/{file}" for file in there if file.endswith(".png")),
           f"{found}, {there}")
    for picture in shown:
        spoken = {caption.getAttribute("xml:lang") for caption in picture.getElementsByTagName("caption")}
        expect(spoken == {"", *LANGUAGES}, f"{picture.toxml()}")


@case("a fault in the entry, the metainfo or the settings is found", lab=False)
def _():
    with tempfile.TemporaryDirectory() as made:
        validate_settings(DATA, made)
    for wrong, (good, bad) in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            for name in FAULTS:
                text = read(f"{DATA}/{name}")
                expect(name != wrong or good in text, f"{name} has no {good}")
                write(f"{folder}/{name}", text.replace(good, bad) if name == wrong else text)
            expect(refuses(validate, folder) or refuses(validate_settings, folder, folder), f"{wrong} passes")


@service_case("the templates of windows are what GTK's own tool wants, and it finds what they have no property for",
              seconds=90, connection=False)
def _(lab, bus, alice, bob):
    """Types of the program's own are not known there, so what each is derived from stands in for it."""
    parents = {}
    for header in glob.glob(f"{ROOT}/gui/*.h"):
        parents.update(OWN_TYPE.findall(read(header)))
    templates = sorted(glob.glob(f"{ROOT}/gui/ui/*.ui"))
    expect(len(templates) >= 10, f"only {templates}")
    with Desktop(lab, alice) as desktop:
        for path in templates:
            text = re.sub(r'(<object class=")(Dialtone\w+)"', lambda found: f'{found[1]}{parents[found[2]]}"', read(path))
            copy = alice.file(os.path.basename(path), text)
            desktop.run("gtk-builder-tool", "validate", copy)
            alice.file(os.path.basename(path), text.replace('<property name="visible">', '<property name="visable">'))
            expect('name="visible"' not in text or refuses(desktop.run, "gtk-builder-tool", "validate", copy),
                   f"{path}: a property that there is not passes")


@case("so they are with the translations that the build puts into them", lab=False)
def _():
    with tempfile.TemporaryDirectory() as folder:
        for kind, name in (("--desktop", "org.dialtone.Dialtone.desktop"),
                           ("--xml", "org.dialtone.Dialtone.metainfo.xml")):
            run(["msgfmt", kind, f"--template={DATA}/{name}", "-d", f"{ROOT}/po", "-o", f"{folder}/{name}"])
            text = read(f"{folder}/{name}")
            for language in LANGUAGES:
                expect(f"[{language}]=" in text or f'xml:lang="{language.replace("_", "-")}"' in text or
                       f'xml:lang="{language}"' in text, f"{name} is not translated: {language}")
        validate(folder)


@case("the type of a profile's file is known by its ending, and is what the entry in menus opens", lab=False)
def _():
    types = xml.dom.minidom.parse(f"{DATA}/org.dialtone.Dialtone.mime.xml").getElementsByTagName("mime-type")
    known = {node.getAttribute("type"): node.getElementsByTagName("glob")[0].getAttribute("pattern") for node in types}
    expect(known == {"application/x-dialtone": "*.dialtone"}, f"{known}")
    entry = read(f"{DATA}/org.dialtone.Dialtone.desktop").splitlines()
    expect("MimeType=application/x-dialtone;" in entry and "Exec=dialtone-gtk %F" in entry, f"{entry}")


@case("symbolic icons have one colour, which a theme may replace", lab=False)
def _():
    icons = glob.glob(f"{DATA}/icons/*-symbolic.svg")
    expect(len(icons) >= 6, f"only {icons}")
    for path in icons:
        root = xml.dom.minidom.parse(path).documentElement
        colours = {node.getAttribute(name) for node in [root, *root.getElementsByTagName("*")]
                   for name in ("fill", "stroke") if node.hasAttribute(name)}
        expect(len(colours) == 1, f"{path}: {colours}")
        expect(root.getAttribute("viewBox") == "0 0 16 16", path)


main()
