# SPDX-License-Identifier: GPL-2.0-or-later
"""A system bus inside the lab's client, and services of the machine on it, as python3-dbusmock's
templates play them: logind, NetworkManager."""

import os
import uuid

from client import name_caller
from lab import expect, wait_until

BUS = """<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
MOCK = "org.freedesktop.DBus.Mock"


class MockBus:
    """Use it as a context. `env` is what programs have in their environment to find the bus.
    address: of a bus that is there already."""

    template, name, path = None, None, None

    def __init__(self, lab, address=None):
        self.lab, self.bus = lab, None
        self.socket = os.path.join(lab.folder, "system-bus")
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": address or f"unix:path={self.socket}"}
        self.makes_bus = address is None

    def __enter__(self):
        if self.makes_bus:
            self.start_bus()
        self.start()
        return self

    def start_bus(self):
        name_caller()  # for the bus daemon
        with open(f"{self.socket}.conf", "w", encoding="utf-8") as file:
            file.write(BUS.format(path=self.socket))
        self.bus = self.lab.start("client", "dbus-daemon", f"--config-file={self.socket}.conf", "--nofork",
                                  "--nopidfile", log="bus.log")
        wait_until(lambda: os.path.exists(self.socket), 5, "the bus is there")

    def start(self):
        self.service = self.lab.start("client", "/usr/bin/python3", "-m", "dbusmock", "--system", "--template",
                                      self.template, env=self.env, log=f"{self.template}.log")
        wait_until(lambda: MOCK in self.gdbus("introspect"), 10, f"{self.name} is there")

    def gdbus(self, verb, *words):
        return self.lab.run("client", "gdbus", verb, "--system", "-d", self.name, "-o", self.path, *words,
                            check=False, env={**os.environ, **self.env})

    def call(self, method, *arguments):
        return self.gdbus("call", "-m", method, *arguments)

    def stop(self):
        self.lab.stop(self.service)

    def __exit__(self, *unused):
        self.stop()
        if self.bus:
            self.lab.stop(self.bus)


class Logind(MockBus):
    template, name, path = "logind", "org.freedesktop.login1", "/org/freedesktop/login1"

    def inhibitors(self):
        return self.call("org.freedesktop.login1.Manager.ListInhibitors")

    def say(self, begins):
        self.call(f"{MOCK}.EmitSignal", "org.freedesktop.login1.Manager", "PrepareForSleep", "b",
                  f"[<{'true' if begins else 'false'}>]")


class NetworkManager(MockBus):
    template, name, path = "networkmanager", "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"
    PORTAL, FULL = 2, 4

    def start(self):
        super().start()
        self.objects = 0
        self.call(f"{MOCK}.AddProperty", self.name, "PrimaryConnection", "<objectpath '/'>")

    def set_connectivity(self, value):
        self.call(f"{MOCK}.SetConnectivity", str(value))

    def set(self, name, value):
        said = self.call("org.freedesktop.DBus.Properties.Set", self.name, name, value)
        expect(said == "()\n", f"a mocked property: {said}")

    def add(self, interface, properties):
        self.objects += 1
        path = f"{self.path}/Made/{self.objects}"
        said = self.call(f"{MOCK}.AddObject", path, f"{self.name}.{interface}", properties, "@a(ssss) []")
        expect(said == "()\n", f"a mocked object: {said}")
        return path

    def network(self, name, ssid=None, state=2):
        """An active connection; ssid: bytes of a Wi-Fi network."""
        point = "/"
        if ssid is not None:
            point = self.add("AccessPoint", f"{{'Ssid': <@ay [{', '.join(map(str, ssid))}]>}}")
        kind = "802-3-ethernet" if ssid is None else "802-11-wireless"
        return self.add("Connection.Active", f"{{'Id': <'{name}'>, 'Uuid': <'{uuid.uuid5(uuid.NAMESPACE_DNS, name)}'>, "
                        f"'Type': <'{kind}'>, 'State': <uint32 {state}>, 'Vpn': <false>, "
                        f"'SpecificObject': <objectpath '{point}'>}}")

    def join(self, *paths):
        """These networks are the ones that are joined now; the first is the way out."""
        primary = paths[0] if paths else "/"
        self.set("ActiveConnections", f"<@ao [{', '.join(repr(path) for path in paths)}]>")
        self.set("PrimaryConnection", f"<objectpath '{primary}'>")
