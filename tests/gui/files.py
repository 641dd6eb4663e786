#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 60 s, full: 60 s
"""What desktops and software centres read of the project, judged by their own tools."""

import glob
import os
import sys
import xml.dom.minidom

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import case, main  # noqa: E402
from lab import ROOT, expect, run  # noqa: E402

DATA = os.path.join(ROOT, "data")


@case("the entry in menus and the metainfo are what their tools want", lab=False)
def _():
    run(["desktop-file-validate", f"{DATA}/org.dialtone.Dialtone.desktop"])
    run(["appstreamcli", "validate", "--no-net", f"{DATA}/org.dialtone.Dialtone.metainfo.xml"])


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
