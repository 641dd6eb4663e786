#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""What an administrator provides and forbids, standalone: system profiles, their secrets, the policy."""

import contextlib
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import CALLER, Dialtone, binary, check_failed, name_caller, profile, profile_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect  # noqa: E402

UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
SECRET = "[Secrets]\nPSK=correct horse battery staple\n"


@contextlib.contextmanager
def system_files(files):
    """Files of /etc/dialtone, {path: (text, mode)}; /etc is the sandbox's own."""
    name_caller()
    try:
        for name, (text, mode) in files.items():
            path = os.path.join("/etc/dialtone", name)
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, mode)
        yield
    finally:
        shutil.rmtree("/etc/dialtone", ignore_errors=True)


def provisioned(**more):
    text = profile_text(profile(Profile__UUID=UUID, Secrets__PSK="system", **more))
    return {"profiles/corp.dialtone": (text, 0o644), f"secrets/{UUID}": (SECRET, 0o640)}


def expect_refused(client, code, reason, *said):
    ended = client.start(secrets=False).wait_exit(10)
    expect(ended == code, f"it ended with {ended}: {client.events} {client.stderr()}")
    check_failed(client.events[-1], reason)
    for words in said:
        expect(words in client.events[-1]["message"], f"'{words}' is not in {client.events[-1]}")


def of_the_system(lab, name="office", called="Office"):
    """A client that calls a profile of the system, with a file of its own that nobody asks for."""
    client = Dialtone(lab, profile(), name=name)
    client.profile = called
    return client


@case("whom a profile of the system does not name is refused with 10")
def _(lab):
    with system_files(provisioned(Access__Users="daemon;no-such-user")):
        for called in ("Office", UUID, "/etc/dialtone/profiles/corp.dialtone"):
            expect_refused(of_the_system(lab, called=called), 10, "not-permitted", "You may not use")


@case("E5: a copy of a system's profile gets no secret of the system")
def _(lab):
    with Gateway(lab, Connection("alice@example.com")), system_files(provisioned()):
        copy = Dialtone(lab, profile(Profile__UUID=UUID, Secrets__PSK="system"), name="copy")
        expect_refused(copy, 4, "secret-missing")


@case("E9: a system's secret that others could read is refused with 3")
def _(lab):
    files = provisioned()
    for mode in (0o644, 0o660):
        files[f"secrets/{UUID}"] = (SECRET, mode)
        with system_files(files):
            expect_refused(of_the_system(lab), 3, "profile-invalid", f"/etc/dialtone/secrets/{UUID}: ")
    with system_files({"profiles/corp.dialtone": files["profiles/corp.dialtone"]}):
        expect_refused(of_the_system(lab), 4, "secret-missing", f"/etc/dialtone/secrets/{UUID} is not there")


@case("what the policy forbids is refused with 12 and its line, root's connections too")
def _(lab):
    policy = {"policy.conf": ("[Policy]\nForbid=modp1024\n", 0o644)}
    with system_files({**provisioned(), **policy}):
        line = "/etc/dialtone/policy.conf:2: [Policy] Forbid: modp1024 is forbidden"
        expect_refused(of_the_system(lab), 12, "policy", line)
        as_root = of_the_system(lab, "root")
        as_root.environment = {"SUDO_UID": "0", "SUDO_GID": "0"}
        expect_refused(as_root, 12, "policy", line)
    with system_files({**provisioned(), "policy.conf": ("[Policy]\nForbit=modp1024\n", 0o644)}):
        expect_refused(of_the_system(lab), 12, "policy", "policy.conf:2: [Policy] Forbit: unknown key")
    with system_files({"policy.conf": ("[Policy]\nUserProfiles=no\n", 0o644)}):
        expect_refused(Dialtone(lab, profile(Identity__Auth="psk"), name="own"), 12, "policy",
                       "policy.conf:2: [Policy] UserProfiles: only profiles of the system")


@case("whom it names connects with a secret of the system that they can't read", seconds=60)
def _(lab):
    with Gateway(lab, Connection("alice@example.com")), system_files(provisioned(Access__Users="caller")):
        client = of_the_system(lab)
        client.start(secrets=False).wait_state("connected", 10)
        agent = client.agent_pid()
        expect(os.stat(f"/proc/{agent}/mem").st_uid == 0, "the agent's memory can be read by its user")
        reader = lab.run("client", "setpriv", f"--reuid={CALLER}", f"--regid={CALLER}", "--clear-groups", "head",
                         "-c1", f"/etc/dialtone/secrets/{UUID}", f"/proc/{agent}/mem", check=False)
        expect("horse" not in reader and "[" not in reader, f"the user read {reader!r}")
        expect("horse" not in client.stderr(), "the secret is in a message")
        client.disconnect()


def override(client, text):
    """What the caller wants otherwise; the path of the file."""
    folder = os.path.join(client.folder, "dialtone", "overrides")
    path = os.path.join(folder, f"{UUID}.dialtone")
    os.makedirs(folder)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    for name in (os.path.dirname(folder), folder, path):
        os.chown(name, CALLER, CALLER)
    client.environment = {"XDG_CONFIG_HOME": client.folder}
    return path


@case("what the user changed is used, and what is locked is not")
def _(lab):
    lab.serve_office()
    files = provisioned(Access__Lock="Network.DNS")
    with Gateway(lab, Connection("alice@example.com")), system_files(files):
        client = of_the_system(lab)
        override(client, "[Network]\nMTU=1234\nDNS=192.0.2.53\n[Gateway]\nAddress=192.0.2.66\n")
        event = client.start(secrets=False).wait_state("connected", 10)
        expect(event["mtu"] == 1234 and event["dns"] != ["192.0.2.53"], f"connected: {event}")
        expect(event["gateway"].startswith("203.0.113.2"), f"connected: {event}")
        for key in ("[Network] DNS: not changed: it is locked", "[Gateway] Address: not changed: while a secret"):
            expect(key in client.stderr(), f"no '{key}' in:\n{client.stderr()}")
        client.disconnect()


@case("diagnose corrects what the user changed where they changed it", seconds=60)
def _(lab):
    text = profile_text(profile(proposals="aes256-sha256-modp2048", Profile__UUID=UUID, Identity__Auth="psk"))
    with Gateway(lab, Connection("alice@example.com", proposals="aes192-sha384-ecp384")), \
            system_files({"profiles/corp.dialtone": (text, 0o644)}):
        client = of_the_system(lab)
        path = override(client, "# mine\n[Phase1]\nProposals=aes128-sha256-modp3072\n")
        said = lab.run("client", "env", f"XDG_CONFIG_HOME={client.folder}", "setpriv", f"--reuid={CALLER}",
                       f"--regid={CALLER}", "--clear-groups", binary(), "diagnose", "--write", "Office")
        with open(path, encoding="utf-8") as file:
            now = file.read()
        expect(now == "# mine\n[Phase1]\nProposals=aes192-sha384-ecp384\n", f"it is now:\n{now}\n{said}")


main()
