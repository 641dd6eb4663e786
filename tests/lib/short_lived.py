#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A service that takes its name and ends at once: short_lived.py NAME FOLDER. Each leaves a file there."""

import os
import sys

from gi.repository import Gio, GLib

NAME, FOLDER = sys.argv[1:]
with open(os.path.join(FOLDER, str(os.getpid())), "wb"):
    pass
Gio.bus_get_sync(Gio.BusType.SYSTEM).call_sync(
    "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
    GLib.Variant("(su)", (NAME, 0)), None, Gio.DBusCallFlags.NONE, -1, None)
