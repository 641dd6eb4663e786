# SPDX-License-Identifier: GPL-2.0-or-later
"""Authorities and certificates for a gateway and its clients in the lab, valid today.

    pki = Pki()
    Connection("alice@example.com", auth="certificate", **pki.gateway())
    Dialtone(lab, profile(**pki.settings(lab, pki.client("email:alice@example.com"))))
"""

import contextlib
import datetime
import os
import shutil
import sys

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from client import CALLER, binary
from lab import HERE, run

sys.path.insert(0, os.path.dirname(HERE))
from gateways import pki  # noqa: E402

GATEWAY_ID = "gw.example.com"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"


def put(lab, name, content, mode=0o600):
    """A file of the caller's, as a private key wants it."""
    path = os.path.join(lab.folder, name)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    os.chown(path, CALLER, CALLER)
    return path


def own(lab, user, name, content, mode=0o600):
    """A file of that user's."""
    path = put(lab, name, content, mode)
    os.chown(path, user.uid, user.uid)
    os.chmod(lab.folder, 0o755)
    return path


def p12(credential, passphrase):
    return pkcs12.serialize_key_and_certificates(b"vpn", credential.key, credential.certificate, None,
                                                 BestAvailableEncryption(passphrase.encode()))


def token_settings(user):
    """What SoftHSM finds a user's tokens by."""
    return os.path.join(user.folder, "softhsm2.conf")


def make_token(lab, user, credential):
    """SoftHSM stands for a smart card."""
    tokens = os.path.join(user.folder, "tokens")
    os.mkdir(tokens, 0o700)
    user.file("softhsm2.conf", f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    key = put(lab, "token.key", pki.pem_of_key(credential.key))
    certificate = put(lab, "token.der", pki.der(credential.certificate))
    env = {**os.environ, "SOFTHSM2_CONF": token_settings(user)}
    run(["softhsm2-util", "--init-token", "--free", "--label", "Card", "--so-pin", "123456", "--pin", "1234"],
        env=env)
    run(["softhsm2-util", "--import", key, "--token", "Card", "--label", "vpn", "--id", "01", "--pin", "1234"],
        env=env)
    run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "Card", "--login", "--pin", "1234", "--id", "01",
         "--label", "vpn", "--write-object", certificate, "--type", "cert"], env=env)
    run(["chown", "-R", f"{user.uid}:{user.uid}", tokens])


def use_keypad(env, path):
    """The token is in a reader that has a keypad: a PIN is typed when it stands in the file at this path. In the
    sandbox alone, where /etc is a copy."""
    module = os.path.join(os.path.dirname(os.path.realpath(binary())), "../../tests/lib/libkeypad-card.so")
    os.makedirs("/etc/pkcs11/modules", exist_ok=True)
    with open("/etc/pkcs11/modules/softhsm2.module", "w", encoding="utf-8") as file:
        file.write(f"module: {os.path.realpath(module)}\n")
    env["TEST_KEYPAD"] = path


@contextlib.contextmanager
def slow_to_forget(lab):
    """Whoever takes a secret out of the keyring is at it until the file of the context is gone."""
    program = os.path.join(os.path.dirname(os.path.realpath(binary())), "dialtone-keyring")
    hold = put(lab, "hold", b"")
    real = os.path.join(lab.folder, "dialtone-keyring")
    shutil.copy(program, real)
    slow = put(lab, "slow", f"""#!/bin/sh
while [ "$1" = forget ] && [ -e {hold} ]; do sleep 0.1; done
exec {real} "$@"
""".encode(), 0o755)
    run(["mount", "--bind", slow, program])
    try:
        yield hold
    finally:
        run(["umount", program])


class Pki:
    """A root, an intermediate for gateways, and what they issue."""

    def __init__(self, kind="rsa2048", intermediate=True):
        self.kind = kind
        self.root = pki.Authority("Example,Root", kind, now=datetime.datetime.utcnow())
        self.middle = self.root
        if intermediate:
            self.middle = pki.Authority("Example,Gateways", kind, issuer=self.root)

    def gateway(self, *names, **more):
        """Keywords for Connection."""
        more.setdefault("kind", self.kind)
        credential = self.middle.issue("Example,Gateway", *(names or ("fqdn:" + GATEWAY_ID,)), **more)
        files = {"x509/gateway.pem": pki.pem(credential.certificate),
                 "private/gateway.pem": pki.pem_of_key(credential.key)}
        for number, certificate in enumerate((*credential.issuers, self.root.certificate)):
            files[f"x509ca/{number}.pem"] = pki.pem(certificate)
        return {"files": {path: text.decode() for path, text in files.items()}}

    def client(self, *names, **more):
        more.setdefault("kind", self.kind)
        return more.pop("issuer", self.root).issue("Example,Client", *names, **more)

    def settings(self, lab, client=None, remote="fqdn:" + GATEWAY_ID, password=None):
        """Keywords for profile(); the files stand in the lab's folder, the key readable by its owner."""
        found = {"Identity__Auth": "certificate" if client else "hybrid",
                 "Identity__CA": "file:" + put(lab, "root.pem", pki.pem(self.root.certificate), 0o644),
                 "Gateway__RemoteID": remote}
        if client:
            text = client.pem(private=False) + pki.pem_of_key(client.key, password)
            found["Identity__Certificate"] = "file:" + put(lab, "client.pem", text)
        return found
