#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""What a gateway asks a user, and who answers: a person at a terminal, a file, or a command."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

import terminal  # noqa: E402
from cases import case, main  # noqa: E402
from client import Dialtone, binary, profile  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402


# ---- the terminal itself ----
@case("a window that is closed ends its tunnel: the gateway is told and the network put back")
def _(lab):
    lab.serve_office()
    before = lab.client_network()
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client = Dialtone(lab, profile())
        window = terminal.connect(lab, client, "--secrets", client.secrets)
        window.wait_text("connected")
        expect_ping(lab, lab.sites[0].host)
        window.close()
        wait_until(lambda: not gateway.ike_sas(), 5, "the gateway heard the DELETE")
        wait_until(lambda: not lab.network_changes(before), 5, "the network is as it was")


@case("a closed window leaves alone what says its words elsewhere")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile())
        log = os.path.join(lab.folder, "nohup.log")
        through = ["nohup", "sh", "-c", 'exec "$@" 2>"$0"', log]
        window = terminal.connect(lab, client, "--secrets", client.secrets, through=through)
        wait_until(lambda: "connected" in lab.read_log("nohup.log"), 10, "connected")
        window.close()
        expect_ping(lab, lab.sites[0].host, count=5)
        lab.run("client", binary(), "disconnect", "--all")


main()
