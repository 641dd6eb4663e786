# SPDX-License-Identifier: GPL-2.0-or-later
"""A tray without a panel: it takes icons as panels do, reads what they show, and clicks at their menus."""

from gi.repository import Gio, GLib

WATCHER, ITEM, MENU = "org.kde.StatusNotifierWatcher", "org.kde.StatusNotifierItem", "com.canonical.dbusmenu"
XML = f"""<node><interface name="{WATCHER}">
  <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
  <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
</interface></node>"""


class Tray:
    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.items, self.owned = [], 0
        interface = Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0]
        self.bus.register_object("/StatusNotifierWatcher", interface, self.on_call, lambda *_: GLib.Variant("b", True),
                                 None)

    def on_call(self, bus, sender, path, interface, method, values, invocation):
        self.items.append(values.unpack()[0])
        invocation.return_value(None)

    def come(self):
        self.owned = Gio.bus_own_name_on_connection(self.bus, WATCHER, Gio.BusNameOwnerFlags.NONE, None, None)

    def go(self):
        Gio.bus_unown_name(self.owned)
        self.items.clear()

    # ---- the icon that came last ----
    def call(self, path, interface, method, values=None):
        answer = self.bus.call_sync(self.items[-1], path, interface, method, values, None,
                                    Gio.DBusCallFlags.NO_AUTO_START, 5000, None)
        return answer.unpack()

    def property(self, name):
        return self.call("/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get",
                         GLib.Variant("(ss)", (ITEM, name)))[0]

    def menu(self):
        """Labels without their mnemonics, and the numbers of those that can be clicked."""
        path = self.property("Menu")
        self.call(path, MENU, "AboutToShow", GLib.Variant("(i)", (0,)))
        _, (_, _, children) = self.call(path, MENU, "GetLayout", GLib.Variant("(iias)", (0, -1, [])))
        return {p["label"].replace("_", ""): number if p.get("enabled", True) else None
                for number, p, _ in children if "label" in p}

    def click(self, number):
        self.call(self.property("Menu"), MENU, "Event",
                  GLib.Variant("(isvu)", (number, "clicked", GLib.Variant("i", 0), 0)))
