#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 60 s, full: 60 s
"""What desktops and software centres read of the project, judged by their own tools."""

import glob
import os
import sys
import tempfile
import xml.dom.minidom

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import case, main  # noqa: E402
from lab import ROOT, expect, run  # noqa: E402

DATA = os.path.join(ROOT, "data")
LANGUAGES = ("de", "es", "fr", "ja", "zh_CN")


def validate(folder):
    run(["desktop-file-validate", f"{folder}/org.dialtone.Dialtone.desktop"])
    run(["appstreamcli", "validate", "--no-net", f"{folder}/org.dialtone.Dialtone.metainfo.xml"])


@case("the entry in menus and the metainfo are what their tools want", lab=False)
def _():
    validate(DATA)


@case("so they are with the translations that the build puts into them", lab=False)
def _():
    with tempfile.TemporaryDirectory() as folder:
        for kind, name in (("--desktop", "org.dialtone.Dialtone.desktop"),
                           ("--xml", "org.dialtone.Dialtone.metainfo.xml")):
            run(["msgfmt", kind, f"--template={DATA}/{name}", "-d", f"{ROOT}/po", "-o", f"{folder}/{name}"])
            with open(f"{folder}/{name}", encoding="utf-8") as file:
                text = file.read()
            for language in LANGUAGES:
                expect(f"[{language}]=" in text or f'xml:lang="{language.replace("_", "-")}"' in text or
                       f'xml:lang="{language}"' in text, f"{name} is not translated: {language}")
        validate(folder)


@case("the type of a profile's file is known by its ending, and is what the entry in menus opens", lab=False)
def _():
    types = xml.dom.minidom.parse(f"{DATA}/org.dialtone.Dialtone.mime.xml").getElementsByTagName("mime-type")
    known = {node.getAttribute("type"): node.getElementsByTagName("glob")[0].getAttribute("pattern") for node in types}
    expect(known == {"application/x-dialtone": "*.dialtone"}, f"{known}")
    with open(f"{DATA}/org.dialtone.Dialtone.desktop", encoding="utf-8") as file:
        entry = file.read().splitlines()
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
