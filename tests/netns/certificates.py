#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 300 s, full: 300 s
"""Certificates on both sides, or on the gateway's alone: from files and tokens, and what is wrong with
them said in words."""

import datetime
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import certificates  # noqa: E402
from cases import case, main  # noqa: E402
from certificates import Pki, put, use_keypad  # noqa: E402
from client import CALLER, Dialtone, binary, check_failed, lives, profile, secrets_text  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from gateways import pki as made  # noqa: E402
from lab import expect, run, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from session import Session  # noqa: E402

DAY = datetime.timedelta(days=1)
YEAR = 365 * DAY
ALICE = "email:alice@example.com"
USERS = {"alice": "open sesame"}
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"


def settings(lab, pki, client=None, **more):
    """Keywords for profile(): what the user has in files of his own."""
    found = pki.settings(lab)
    if client:
        text = client.pem(private=False) + made.pem_of_key(client.key)
        found.update(Identity__Auth="certificate",
                     Identity__Certificate="file:" + put(lab, "alice.pem", text))
    return {**found, **more}


def connection(pki, auth="certificate", **more):
    names = more.pop("names", ("fqdn:gw.example.com",))
    issue = {key: more.pop(key) for key in ("begins", "ends", "uses") if key in more}
    return Connection("alice@example.com", auth=auth, **pki.gateway(*names, **issue), **more)


def authority(name, kind):
    """One that nobody asked for; another name or another kind makes another key."""
    return made.Authority(name, kind, now=datetime.datetime.utcnow())


def connects(lab, groups, secrets=None, **wanted):
    """Connects, sends a ping through, and disconnects; returns what `connected` said."""
    lab.serve_office()
    client = Dialtone(lab, groups, secrets)
    event = client.connect()
    for key, value in wanted.items():
        expect(event["phase1"][key] == value, f"{key} is {event['phase1']}")
    expect_ping(lab, lab.sites[0].host)
    client.disconnect()
    return event


def refused(lab, groups, reason, *said, secrets=None):
    """Fails for this reason, and says these words in message or advice."""
    client = Dialtone(lab, groups, secrets)
    event = client.start().wait_state("failed", 20)
    check_failed(event, reason)
    text = event["message"] + " " + event["advice"]
    for words in said:
        expect(words in text, f"{words!r} is not in: {text}")
    client.wait_exit(5)
    return event


# ---- what works ----
@case("RSA certificates from a PEM file; connected tells both of them")
def _(lab):
    pki = Pki()
    client = pki.client(ALICE)
    with Gateway(lab, connection(pki)) as gateway:
        event = connects(lab, profile(**settings(lab, pki, client)), auth="certificate")
        expect("authentication of 'alice@example.com' with RSA" in gateway.text(), "the gateway saw no RSA")
    expect(event["certificate"]["subject"] == "CN=Client,O=Example", f"certificate: {event['certificate']}")
    theirs = event["gateway_certificate"]
    expect("Gateway" in theirs["subject"] and len(theirs["fingerprint"]) == 64, f"gateway's: {theirs}")
    expect(theirs["not_after"].endswith("Z") and not theirs["expires_soon"], f"gateway's: {theirs}")


@case("the key may lie in a file of its own, encrypted")
def _(lab):
    pki = Pki()
    client = pki.client(ALICE)
    mine = settings(lab, pki)
    mine.update(Identity__Auth="certificate",
                Identity__Certificate="file:" + put(lab, "alice.crt", client.pem(private=False), 0o644),
                Identity__Key="file:" + put(lab, "alice.key", made.pem_of_key(client.key, "käse # 1".encode())))
    with Gateway(lab, connection(pki)):
        connects(lab, profile(**mine), secrets_text(Passphrase="käse # 1"))


@case("PKCS #12 files of today and of old opens the passphrase of the secrets file", seconds=60)
def _(lab):
    pki = Pki()
    client = pki.client(ALICE)
    pem = put(lab, "alice.pem", client.pem(private=False) + made.pem_of_key(client.key))
    with Gateway(lab, connection(pki)):
        for number, words in enumerate(([], ["-legacy"])):
            path = os.path.join(lab.folder, f"alice{number}.p12")
            run(["openssl", "pkcs12", "-export", *words, "-in", pem, "-out", path, "-passout", "pass:to open"])
            with open(path, "rb") as file:
                path = put(lab, f"alice{number}.p12", file.read())
            mine = settings(lab, pki, client, Identity__Certificate="file:" + path)
            connects(lab, profile(**mine), secrets_text(Passphrase="to open"), auth="certificate")


@case("RSA certificates and a user's password after them")
def _(lab):
    pki = Pki()
    mine = settings(lab, pki, pki.client(ALICE), UserAuth__User="alice")
    with Gateway(lab, connection(pki, users=USERS)):
        connects(lab, profile(**mine), secrets_text(Password="open sesame"), auth="xauth-certificate")


@case("hybrid: only the gateway has a certificate, the user a password")
def _(lab):
    pki = Pki()
    with Gateway(lab, connection(pki, auth="hybrid", users=USERS)):
        event = connects(lab, profile(UserAuth__User="alice", **settings(lab, pki)),
                         secrets_text(Password="open sesame"), auth="hybrid")
    expect(event["certificate"] is None and event["gateway_certificate"], f"certificates: {event}")


for curve in ("ecp256", "ecp384", "ecp521"):
    @case(f"ECDSA certificates, {curve}")
    def _(lab, kind=curve):
        pki = Pki(kind)
        with Gateway(lab, connection(pki)) as gateway:
            connects(lab, profile(**settings(lab, pki, pki.client(ALICE))), auth="certificate")
            expect("with ECDSA" in gateway.text(), "the gateway saw no ECDSA")


@case("our own intermediate goes along, for the gateway knows only the root")
def _(lab):
    pki = Pki()
    office = made.Authority("Example,Users", issuer=pki.root)
    client = pki.client(ALICE, issuer=office)
    expect(len(client.chain) == 2, f"the chain has {len(client.chain)}")
    with Gateway(lab, connection(pki)):
        connects(lab, profile(**settings(lab, pki, client)))


@case("without a RemoteID the Address stands in the gateway's certificate")
def _(lab):
    pki = Pki()
    mine = settings(lab, pki, pki.client(ALICE))
    del mine["Gateway__RemoteID"]
    with Gateway(lab, connection(pki, names=("ip:203.0.113.2", "fqdn:gw.example.com"))):
        connects(lab, profile(**mine))


@case("a token signs; its key never leaves it", seconds=40)
def _(lab):
    pki = Pki()
    client = pki.client(ALICE)
    tokens = os.path.join(lab.folder, "tokens")
    os.mkdir(tokens, 0o700)
    conf = put(lab, "softhsm2.conf", f"directories.tokendir = {tokens}\nlog.level = ERROR\n".encode())
    key = put(lab, "token.key", made.pem_of_key(client.key))
    certificate = put(lab, "token.der", made.der(client.certificate))
    env = {**os.environ, "SOFTHSM2_CONF": conf}
    run(["softhsm2-util", "--init-token", "--free", "--label", "Card", "--so-pin", "123456", "--pin", "1234"],
        env=env)
    run(["softhsm2-util", "--import", key, "--token", "Card", "--label", "vpn", "--id", "01", "--pin", "1234"],
        env=env)
    run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "Card", "--login", "--pin", "1234", "--id", "01",
         "--label", "vpn", "--write-object", certificate, "--type", "cert"], env=env)
    os.unlink(key)
    run(["chown", "-R", f"{CALLER}:{CALLER}", tokens])
    os.environ["SOFTHSM2_CONF"] = conf
    mine = settings(lab, pki, client, Identity__Certificate="pkcs11:token=Card;object=vpn")
    with Gateway(lab, connection(pki)):
        connects(lab, profile(**mine), secrets_text(Passphrase="1234"), auth="certificate")
        refused(lab, profile(**mine), "profile-invalid", "refused the PIN", secrets=secrets_text(Passphrase="4321"))
        typed = os.path.join(lab.folder, "typed")
        use_keypad(os.environ, typed)
        dialtone = Dialtone(lab, profile(**mine))
        dialtone.start(secrets=False)
        wait_until(lambda: "Enter the PIN of the token Card on the reader's keypad." in dialtone.stderr(), 10,
                   "who is to type the PIN is told so")
        put(lab, "typed", b"1234")
        dialtone.wait_state("connected", 10)
        dialtone.disconnect()
        put(lab, "typed", b"LOCKED")
        refused(lab, profile(**mine), "profile-invalid", "The PIN of the token Card is locked", "Unlock it with the PUK")


@case("a certificate and its passphrase come from the keyring", seconds=40)
def _(lab):
    lab.serve_office()
    pki = Pki()
    client = pki.client(ALICE)
    text = client.pem(private=False) + made.pem_of_key(client.key, b"to open")
    mine = settings(lab, pki, client, Identity__Certificate="keyring")
    with Gateway(lab, connection(pki)), Session(lab) as session:
        dialtone = Dialtone(lab, profile(**mine))
        session.run(binary(), "secret", "set", dialtone.profile, "certificate", given=text.decode())
        session.run(binary(), "secret", "set", dialtone.profile, "passphrase", given="to open\n")
        dialtone.start(env=session.env, secrets=False)
        event = dialtone.wait_state("connected", 10)
        expect(event["certificate"]["subject"] == "CN=Client,O=Example", f"certificate: {event['certificate']}")
        expect_ping(lab, lab.sites[0].host)
        dialtone.disconnect()
        session.lock()
        event = dialtone.start(env=session.env, secrets=False).wait_state("failed", 20)
        check_failed(event, "secret-missing")
        expect(event["message"] == "The keyring is locked, so the certificate in it can't be read.", event["message"])
        expect("sign in to the desktop" in event["advice"], event["advice"])
        dialtone.wait_exit(5)


@case("keys are renewed with a new signature, while the tunnel stays", seconds=40)
def _(lab):
    lab.serve_office()
    pki = Pki()
    with Gateway(lab, connection(pki)) as gateway:
        client = Dialtone(lab, profile(**settings(lab, pki, pki.client(ALICE))))
        client.connect()
        signed = "authentication of 'alice@example.com' with RSA"
        expect(gateway.text().count(signed) == 1, "the first signature is not in the log")
        client.process.send_signal(signal.SIGHUP)  # SIGHUP: new keys now
        wait_until(lambda: gateway.text().count(signed) == 2, 10, "the gateway verified a second signature")
        expect_ping(lab, lab.sites[0].host)
        expect(client.states()[-1] == "connected", f"states: {client.states()}")
        client.disconnect()


def memory_has(pid, needle):
    """Whether a process has these bytes in memory it can write."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in span.split("-"))
            if "w" not in rights or "r" not in rights:
                continue
            try:
                memory.seek(begin)
                if needle in memory.read(end - begin):
                    return True
            except OSError:
                continue
    return False


@case("the private key is in the agent's memory and in no other process")
def _(lab):
    pki = Pki("ecp256")
    client = pki.client(ALICE)
    number = client.key.private_numbers().private_value
    der = client.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption())
    secret = number.to_bytes(32, "big")
    expect(secret in der, "this is not how the key is written")
    forms = (secret, secret[::-1])  # as written, and as libcrypto counts with it
    with Gateway(lab, connection(pki)):
        dialtone = Dialtone(lab, profile(**settings(lab, pki, client)))
        dialtone.connect()
        agent = dialtone.agent_pid()
        for pid in dialtone.family():
            expect(lives(pid), f"{pid} is gone")
            found = any(memory_has(pid, form) for form in forms)
            expect(found == (pid == agent), f"process {pid} (agent {agent}): key in memory is {found}")
        dialtone.disconnect()


@case("the gateway's certificate is remembered: a renewal is noted once, another issuer warned of each time",
      seconds=60)
def _(lab):
    pki = Pki()
    mine = profile(**settings(lab, pki, pki.client(ALICE)))
    state = os.path.join(lab.folder, "state")
    os.mkdir(state, 0o700)
    os.chown(state, CALLER, CALLER)
    gateway = Gateway(lab, connection(pki)).up()

    def told(name):
        client = Dialtone(lab, mine, name=name)
        client.environment["XDG_STATE_HOME"] = state
        client.connect()
        client.disconnect()
        return client.stderr()

    def restart(other):
        gateway.down()
        for path, text in other.files.items():
            gateway._write(path, text)
        gateway.up()

    for name in ("first", "again"):
        expect("certificate" not in told(name), f"the {name} connect spoke of a certificate")
    restart(connection(pki))
    said = told("renewed")
    expect("Note: the gateway of Office shows a new certificate" in said and "Gateways" in said, said)
    expect("Note:" not in told("noted"), "a renewal was noted twice")
    pki.middle = pki.root
    restart(connection(pki))
    for name in ("other", "still"):
        said = told(name)
        expect("Warning: the certificate" in said and "another issuer" in said, f"{name}: {said}")
    gateway.down()


# ---- what is refused ----
@case("an authority that the profile does not have is refused, and named")
def _(lab):
    pki = Pki()
    mine = settings(lab, pki, pki.client(ALICE))
    other, namesake = authority("Other,Root", "rsa2048"), authority("Example,Root", "ecp256")
    with Gateway(lab, connection(pki)):
        mine["Identity__CA"] = "file:" + put(lab, "other.pem", made.pem(other.certificate), 0o644)
        refused(lab, profile(**mine), "gateway-authentication", "was issued by", "[Identity] CA")
        # The right name is worth nothing without the key.
        mine["Identity__CA"] = "file:" + put(lab, "namesake.pem", made.pem(namesake.certificate), 0o644)
        refused(lab, profile(**mine), "gateway-authentication")


@case("an expired certificate of the gateway is refused")
def _(lab):
    pki = Pki()
    with Gateway(lab, connection(pki, begins=-YEAR, ends=-DAY)):
        refused(lab, profile(**settings(lab, pki, pki.client(ALICE))), "gateway-authentication", "has expired",
                "date")


@case("a certificate of the gateway without the name that is expected is refused")
def _(lab):
    pki = Pki()
    mine = settings(lab, pki, pki.client(ALICE), Gateway__RemoteID="fqdn:gw2.example.com")
    with Gateway(lab, connection(pki)):
        refused(lab, profile(**mine), "gateway-authentication", "RemoteID")
        del mine["Gateway__RemoteID"]  # then it is the Address, which is not in it either
        refused(lab, profile(**mine), "gateway-authentication", "RemoteID")


@case("a revoked certificate of the gateway is refused, and an unrelated list harms nobody")
def _(lab):
    pki = Pki(intermediate=False)
    both = connection(pki)
    theirs = made.x509.load_pem_x509_certificate(both.files["x509/gateway.pem"].encode())
    revoked = type("Revoked", (), {"certificate": theirs})
    bad = put(lab, "bad.crl", pki.root.crl(revoked), 0o644)
    good = put(lab, "good.crl", pki.root.crl(), 0o644)
    mine = settings(lab, pki, pki.client(ALICE))
    with Gateway(lab, both):
        refused(lab, profile(**mine, Identity__CRL="file:" + bad), "gateway-authentication", "has been revoked")
        connects(lab, profile(**mine, Identity__CRL="file:" + good, Identity__RequireCRL="yes"))


def crl_server(lab, script=None):
    """A web server at the gateway's address with the files of a folder; or one that says `script` to each."""
    folder = os.path.join(lab.folder, "www")
    os.makedirs(folder, exist_ok=True)
    command = ["-m", "http.server", "--directory", folder, "80"] if script is None else ["-c", script]
    process = lab.start("gateway", sys.executable, *command, log="www.log")
    wait_until(lambda: ":80 " in lab.run("gateway", "ss", "-Hltn"), 5, "the web server listens")
    return folder, process


def publish(folder, content):
    with open(os.path.join(folder, "ca.crl"), "wb") as file:
        file.write(content)


PATIENT = {"cookie_threshold_ip": 100, "block_threshold": 200}  # for attempts that are broken off
URL = "http://203.0.113.2/ca.crl"
SAYS = """
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", 80)); s.listen(9)
while True:
    c, _ = s.accept(); c.recv(9999)
    try:
        ANSWER
    except OSError:
        pass
    c.close()
"""


class Fetching:
    """A client whose cache of lists is ours to see."""

    def __init__(self, lab, groups):
        self.lab, self.groups, self.count = lab, groups, 0
        self.cache = os.path.join(lab.folder, "cache")
        os.mkdir(self.cache, 0o700)
        os.chown(self.cache, CALLER, CALLER)

    def run(self, state):
        """The first event of this state, and what was told on standard error."""
        self.count += 1
        client = Dialtone(self.lab, profile(**self.groups), name=f"fetching{self.count}")
        client.environment["XDG_CACHE_HOME"] = self.cache
        event = client.start().wait_state(state, 20)
        if state == "connected":
            client.disconnect()
        else:
            client.wait_exit(5)
        return event, client.stderr()

    def kept(self):
        folder = os.path.join(self.cache, "dialtone", "revoked")
        return [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []

    def grow_old(self):
        """What was fetched is asked for again."""
        for path in self.kept():
            os.utime(path, (1, 1))


def fetching(lab, **more):
    pki = Pki(intermediate=False)
    both = connection(pki)
    theirs = made.x509.load_pem_x509_certificate(both.files["x509/gateway.pem"].encode())
    mine = settings(lab, pki, pki.client(ALICE), Identity__CRL=URL, **more)
    return pki, both, type("Revoked", (), {"certificate": theirs}), Fetching(lab, mine)


@case("a list is fetched from its address, kept for an hour, and then a revoked certificate is refused",
      seconds=60)
def _(lab):
    pki, both, revoked, client = fetching(lab, Identity__RequireCRL="yes")
    with Gateway(lab, both):
        folder, server = crl_server(lab)
        publish(folder, pki.root.crl())
        client.run("connected")
        expect(len(client.kept()) == 1, f"kept: {client.kept()}")
        publish(folder, pki.root.crl(revoked))
        client.run("connected")
        expect(lab.read_log("www.log").count("GET /ca.crl") == 1, "it was asked for twice in an hour")
        client.grow_old()
        event, _ = client.run("failed")
        check_failed(event, "gateway-authentication")
        expect("has been revoked" in event["message"], f"{event}")
        lab.stop(server)
        client.grow_old()
        event, said = client.run("failed")
        expect("has been revoked" in event["message"] and "it can't be reached" in said, f"{event} {said}")


@case("a server of lists that is gone keeps nobody out, unless a list is required and none was kept", seconds=60)
def _(lab):
    pki, both, _, client = fetching(lab)
    with Gateway(lab, both):
        _, said = client.run("connected")
        expect(f"no revocation list from {URL}: it can't be reached" in said, said)
        client.groups["Identity__RequireCRL"] = "yes"
        event, _ = client.run("failed")
        check_failed(event, "gateway-authentication")
        expect("[Identity] CRL" in event["advice"], f"{event}")
        folder, server = crl_server(lab)
        publish(folder, pki.root.crl())
        client.run("connected")
        lab.stop(server)
        client.grow_old()
        _, said = client.run("connected")
        expect("is in force, and is used" in said, said)
        lab.drop_at("gateway", "tcp dport 80")
        event, said = client.run("connected")
        expect("it can't be reached" in said or "in time" in said, said)


@case("what is no list in force of that authority is not taken, and what was kept is used", seconds=90)
def _(lab):
    pki, both, revoked, client = fetching(lab, Identity__RequireCRL="yes")
    good = pki.root.crl(revoked)
    with Gateway(lab, both, charon=PATIENT):
        folder, server = crl_server(lab)
        publish(folder, good)
        client.run("failed")
        kept = client.kept()
        wrong = {"garbage": (b"<html>log in to the hotel</html>", "is no revocation list"),
                 "nothing": (b"", "is no revocation list"),
                 "forged": (authority("Example,Root", "ecp256").crl(), "not signed by the authority"),
                 "old": (pki.root.crl(ends=-DAY), "not in force"),
                 "huge": (b"x" * (600 * 1024), "too large")}
        for name, (content, words) in wrong.items():
            publish(folder, content)
            client.grow_old()
            event, said = client.run("failed")
            expect(words in said, f"{name}: {said}")
            expect("has been revoked" in event["message"], f"{name}: {event}")
        os.unlink(os.path.join(folder, "ca.crl"))
        event, said = client.run("failed")
        expect("has no file there" in said and client.kept() == kept, said)
        lab.stop(server)


@case("a server that redirects, floods, stalls or breaks off is left within seconds", seconds=90)
def _(lab):
    _, both, _, client = fetching(lab)
    answers = {
        "c.sendall(b'HTTP/1.1 302 Found\\r\\nLocation: file:///etc/passwd\\r\\nContent-Length: 0\\r\\n\\r\\n')": "no file",
        "[c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n' + b'x' * 9999) for i in range(9999)]": "too large",
        "c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nabc')": "broke off",
        "c.sendall(b'SSH-2.0-OpenSSH\\r\\n')": "none of HTTP",
        "time.sleep(60)": "in time",
    }
    with Gateway(lab, both):
        for answer, words in answers.items():
            _, server = crl_server(lab, SAYS.replace("ANSWER", answer.replace("\\\\", "\\")))
            _, said = client.run("connected")
            lab.stop(server)
            expect(words in said and not client.kept(), f"{answer}: {said}")


@case("a required list that is missing or too old is asked for")
def _(lab):
    pki = Pki(intermediate=False)
    mine = settings(lab, pki, pki.client(ALICE), Identity__RequireCRL="yes")
    old = put(lab, "old.crl", pki.root.crl(ends=-DAY), 0o644)
    other = put(lab, "other.crl", authority("Other,Root", "rsa2048").crl(), 0o644)
    with Gateway(lab, connection(pki)):
        for path in (old, other):
            refused(lab, profile(**mine, Identity__CRL="file:" + path), "gateway-authentication",
                    "revocation list")


@case("a certificate of our own that has ended is refused before a packet is sent")
def _(lab):
    pki = Pki()
    mine = settings(lab, pki, pki.client(ALICE, begins=-YEAR, ends=-DAY))
    with Gateway(lab, connection(pki)) as gateway:
        refused(lab, profile(**mine), "gateway-authentication", "CN=Client,O=Example", "ended on")
        expect("received packet" not in gateway.text(), "packets were sent")


@case("a key that others may read is refused, like a secrets file")
def _(lab):
    pki = Pki()
    mine = settings(lab, pki, pki.client(ALICE))
    os.chmod(os.path.join(lab.folder, "alice.pem"), 0o640)
    refused(lab, profile(**mine), "profile-invalid", "[Identity] Certificate", "chmod 600")


@case("a passphrase that does not fit, or is missing, ends with its exit code")
def _(lab):
    pki = Pki()
    client = pki.client(ALICE)
    text = client.pem(private=False) + made.pem_of_key(client.key, b"secret")
    mine = settings(lab, pki, client)
    put(lab, "alice.pem", text)
    refused(lab, profile(**mine), "profile-invalid", "does not open", secrets=secrets_text(Passphrase="wrong"))
    refused(lab, profile(**mine), "secret-missing", "Passphrase=")


@case("certificates that end within 30 days are warned of", seconds=30)
def _(lab):
    pki = Pki()
    mine = settings(lab, pki, pki.client(ALICE, ends=10 * DAY))
    with Gateway(lab, connection(pki, ends=5.5 * DAY)):
        event = connects(lab, profile(**mine))
    expect(event["certificate"]["expires_soon"] and event["gateway_certificate"]["expires_soon"], f"{event}")
    said = lab.read_log("dialtone-office.err")
    expect("warning: your certificate (CN=Client,O=Example) ends on" in said, said)
    expect("preshared key" not in said, f"a key that is not used is weighed: {said}")
    expect("warning: the gateway's certificate" in said and "ends in 5 days" in said, said)


main()
