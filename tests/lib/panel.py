# SPDX-License-Identifier: GPL-2.0-or-later
"""A real panel on a desktop (desktop.py): xfce4-panel, with nothing on it but its tray."""

import os
import shutil
import subprocess

from desktop import installed
from lab import wait_until

WATCHER = "org.kde.StatusNotifierWatcher"
HEIGHT = 32
CONFIGURATION = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"""


class Panel:
    def __init__(self, desktop):
        self.desktop, self.process = desktop, None
        path = os.path.join(desktop.user.folder, ".config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)
        self.install_icons()
        desktop.own(".config", ".local")

    def install_icons(self):
        """As an installation has them, but in the user's own folder."""
        for source, target in installed():
            if "/icons/hicolor/" in target:
                path = os.path.join(self.desktop.user.folder, ".local/share/icons/hicolor",
                                    target.split("/icons/hicolor/")[1])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                shutil.copy(source, path)

    def start(self):
        desktop = self.desktop
        self.process = desktop.lab.start("client", *desktop.as_user("xfce4-panel", "--disable-wm-check"),
                                         log="panel.log")
        wait_until(self.is_there, 30, "the panel shows icons")

    def is_there(self):
        return "true" in self.desktop.run("gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o", "/", "-m",
                                          "org.freedesktop.DBus.NameHasOwner", WATCHER)

    def kill(self):
        """As a fault would."""
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not self.is_there(), 30, "the panel is gone")

    def icons(self):
        """How many it has been given."""
        said = self.desktop.run("gdbus", "call", "--session", "-d", WATCHER, "-o", "/StatusNotifierWatcher", "-m",
                                "org.freedesktop.DBus.Properties.Get", WATCHER, "RegisteredStatusNotifierItems")
        return said.count("org.dialtone") + said.count("/StatusNotifierItem")

    def pixels(self):
        """What it looks like."""
        return subprocess.run(self.desktop.lab.inside("client", *self.desktop.as_user(
            "import", "-window", "root", "-crop", f"1280x{HEIGHT}+0+0", "rgb:-")), stdout=subprocess.PIPE,
            check=True).stdout
