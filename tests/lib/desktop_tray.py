# SPDX-License-Identifier: GPL-2.0-or-later
"""A tray without a panel: it takes icons as panels do, reads what they show, and clicks at their menus.
And whoever shows notifications: it keeps what it is told, and presses what it is told to."""

from gi.repository import Gio, GLib

WATCHER, ITEM, MENU = "org.kde.StatusNotifierWatcher", "org.kde.StatusNotifierItem", "com.canonical.dbusmenu"
XML = f"""<node><interface name="{WATCHER}">
  <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
  <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
  <signal name="StatusNotifierHostRegistered"/>
  <signal name="StatusNotifierHostUnregistered"/>
</interface></node>"""


class Tray:
    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.items, self.owned = [], 0
        self.hosts, self.looked = 1, 0
        interface = Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0]
        self.bus.register_object("/StatusNotifierWatcher", interface, self.on_call, self.on_get, None)

    def on_get(self, *_):
        self.looked += 1
        return GLib.Variant("b", self.hosts > 0)

    def hosts_change(self, hosts):
        """As watchers do: a signal, and a property that does not say that it has changed."""
        name = "StatusNotifierHostUnregistered" if hosts < self.hosts else "StatusNotifierHostRegistered"
        self.hosts, self.looked = hosts, 0
        self.bus.emit_signal(None, "/StatusNotifierWatcher", WATCHER, name, None)

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
                                    Gio.DBusCallFlags.NO_AUTO_START, 30000, None)
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


NOTIFICATIONS = "org.freedesktop.Notifications"
NOTIFICATIONS_XML = f"""<node><interface name="{NOTIFICATIONS}">
  <method name="Notify"><arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
    <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="as" direction="in"/>
    <arg type="a{{sv}}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/></method>
  <method name="CloseNotification"><arg type="u" direction="in"/></method>
  <method name="GetCapabilities"><arg type="as" direction="out"/></method>
  <method name="GetServerInformation"><arg type="s" direction="out"/><arg type="s" direction="out"/>
    <arg type="s" direction="out"/><arg type="s" direction="out"/></method>
  <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
</interface></node>"""


class Notifications:
    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.told, self.actions = [], []  # titles; the number of one is its place, from 1
        interface = Gio.DBusNodeInfo.new_for_xml(NOTIFICATIONS_XML).interfaces[0]
        self.bus.register_object("/org/freedesktop/Notifications", interface, self.on_call, None, None)
        Gio.bus_own_name_on_connection(self.bus, NOTIFICATIONS, Gio.BusNameOwnerFlags.NONE, None, None)

    def on_call(self, bus, sender, path, interface, method, values, invocation):
        answer = None
        if method == "Notify":
            self.told.append(values.unpack()[3])
            self.actions.append(values.unpack()[5])
            answer = GLib.Variant("(u)", (len(self.told),))
        elif method == "GetCapabilities":
            answer = GLib.Variant("(as)", (["actions", "body"],))
        elif method == "GetServerInformation":
            answer = GLib.Variant("(ssss)", ("test", "dialtone", "1", "1.2"))
        invocation.return_value(answer)

    def press(self, title, label):
        at = len(self.told) - 1 - self.told[::-1].index(title)
        names = self.actions[at]
        name = dict(zip(names[1::2], names[::2]))[label]
        self.bus.emit_signal(None, "/org/freedesktop/Notifications", NOTIFICATIONS, "ActionInvoked",
                             GLib.Variant("(us)", (at + 1, name)))
        return True
