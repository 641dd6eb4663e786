#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A test gateway on real UDP ports 500 and 4500, for a whole client in a network namespace.

    serve.py --personality srx --bind 203.0.113.2

What is behind it answers ICMP echo and UDP echo on port 7 for every inner address.  Each event goes
to
stdout as one line; at SIGINT or SIGTERM it prints the violations and exits with 1 if there were
any.
Signals: SIGUSR1 asks the client whether it is alive (DPD), SIGUSR2 deletes its newest ESP SA.
"""

import argparse
import datetime
import pathlib
import random
import selectors
import signal
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from gateways import constants as c  # noqa: E402
from gateways import inner, pki  # noqa: E402
from gateways.gateway import Config, Gateway  # noqa: E402
from gateways.personalities import ALL, variant  # noqa: E402

AUTH = {
    'psk': c.AUTH_PSK,
    'rsa': c.AUTH_RSA_SIG,
    'ecdsa256': c.AUTH_ECDSA_256,
    'ecdsa384': c.AUTH_ECDSA_384,
    'ecdsa521': c.AUTH_ECDSA_521,
    'hybrid': c.AUTH_HYBRID_INIT_RSA,
    'xauth-psk': c.AUTH_XAUTH_INIT_PSK,
    'xauth-rsa': c.AUTH_XAUTH_INIT_RSA,
}
KINDS = {'email': c.ID_USER_FQDN, 'fqdn': c.ID_FQDN, 'keyid': c.ID_KEY_ID}


def parse_arguments():
    parser = argparse.ArgumentParser(description='IKEv1 test gateway')
    parser.add_argument('--personality', default='plain', choices=sorted(ALL))
    parser.add_argument('--bind', default='127.0.0.1')
    parser.add_argument('--dialled', help='the address that the client dials, if not --bind')
    parser.add_argument('--psk', default='correct horse battery staple')
    parser.add_argument('--id', help='the only client: email:..., fqdn:... or keyid:...')
    parser.add_argument('--gateway-id', default='gw.example.com')
    parser.add_argument('--user', default='carol:carol-password')
    parser.add_argument('--auth', choices=sorted(AUTH), help='another way to authenticate')
    parser.add_argument(
        '--certificates',
        metavar='FOLDER',
        help='make an authority, an intermediate and certificates, and put root.pem and '
        'client.pem (chain and key) there',
    )
    parser.add_argument('--code', default='123456', help='the one-time code')
    parser.add_argument('--network', action='append', default=None)
    parser.add_argument('--banner', default='')
    parser.add_argument('--welcome', default='', help='what is told with the status of XAUTH')
    parser.add_argument('--load-balance', default='', help='send clients on to this address')
    parser.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='another value of the personality, e.g. phase1_lifetime=60',
    )
    parser.add_argument('--quiet', action='store_true')
    return parser.parse_args()


def make_certificates(arguments, config):
    """A gateway under an intermediate, a client (--id) under the root, written for the client."""
    kind = {'ecdsa256': 'ecp256', 'ecdsa384': 'ecp384', 'ecdsa521': 'ecp521'}
    kind = kind.get(arguments.auth, 'rsa2048')
    root = pki.Authority('Example,Root', kind, now=datetime.datetime.utcnow())
    middle = pki.Authority('Example,Gateways', kind, issuer=root)
    config.credential = middle.issue(
        'Example,Gateway', 'fqdn:' + arguments.gateway_id, 'ip:' + arguments.bind, kind=kind
    )
    names = [arguments.id] if arguments.id and not arguments.id.startswith('keyid:') else []
    client = root.issue('Example,Client', *names, kind=kind)
    config.client_anchors, config.certificates_at = (root.certificate,), root.now
    folder = pathlib.Path(arguments.certificates)
    for name, content in (('root.pem', pki.pem(root.certificate)), ('client.pem', client.pem())):
        (folder / name).write_bytes(content)


def convert(old, text):
    if isinstance(old, bool):
        return text in ('yes', 'true', '1')
    if isinstance(old, tuple) and not text:
        return ()
    return int(text) if isinstance(old, int) or (old is None and text.isdigit()) else text


def build_gateway(arguments):
    base = ALL[arguments.personality]
    pairs = dict(item.split('=', 1) for item in arguments.set)
    personality = variant(base, **{k: convert(getattr(base, k, None), v) for k, v in pairs.items()})
    if arguments.auth:
        personality = variant(personality, auth=(AUTH[arguments.auth],))
    name, password = arguments.user.split(':', 1)
    networks = tuple(arguments.network or ['10.10.0.0/24'])
    config = Config(
        psk=arguments.psk.encode(),
        users={name.encode(): password.encode()},
        gateway_id=(c.ID_FQDN, arguments.gateway_id.encode()),
        own_address=arguments.bind,
        dialled_address=arguments.dialled or arguments.bind,
        networks=networks,
        split_include=networks,
        banner=arguments.banner.encode(),
        welcome_text=arguments.welcome.encode(),
        load_balance=arguments.load_balance,
        domain=b'lan.example.com',
        one_time_code=arguments.code.encode(),
    )
    if arguments.id:
        kind, value = arguments.id.split(':', 1)
        config.client_id = (KINDS[kind], value.encode())
    if arguments.certificates:
        make_certificates(arguments, config)
    return Gateway(personality, config, random.SystemRandom())


RAW = 0  # in place of a port: ESP without UDP


def raw_esp(address):
    """A raw socket for IP protocol 50, where we may have one."""
    six = ':' in address
    try:
        raw = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, 50)
    except PermissionError:
        return None
    raw.bind((address, 0))
    raw.setblocking(False)
    return raw


def without_ip_header(data, family):
    """raw(7): IPv4 comes with its header, IPv6 without."""
    return data[4 * (data[0] & 15) :] if family == socket.AF_INET else data


class Server:
    def __init__(self, arguments):
        self.gateway = build_gateway(arguments)
        self.quiet = arguments.quiet
        self.selector = selectors.DefaultSelector()
        self.sockets = {}
        self.logged = 0
        self.running = True
        for port in (500, 4500):
            family = socket.AF_INET6 if ':' in arguments.bind else socket.AF_INET
            udp = socket.socket(family, socket.SOCK_DGRAM)
            udp.bind((arguments.bind, port))
            udp.setblocking(False)
            self.sockets[port] = udp
            self.selector.register(udp, selectors.EVENT_READ, port)
        self.raw = raw_esp(arguments.bind)
        if self.raw:
            self.selector.register(self.raw, selectors.EVENT_READ, RAW)

    def stop(self, *_):
        self.running = False

    def ask_alive(self, *_):
        sa = self.gateway.newest()
        if sa:
            sa.info.ask_alive()

    def delete_child(self, *_):
        if self.gateway.children:
            child = self.gateway.children.pop()
            child.sa.info.delete_esp([child.inbound.spi])

    def run(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        signal.signal(signal.SIGUSR1, self.ask_alive)
        signal.signal(signal.SIGUSR2, self.delete_child)
        print('ready', flush=True)
        while self.running:
            self.flush()
            for key, _ in self.selector.select(self.patience()):
                data, source = key.fileobj.recvfrom(65536)
                if key.data == RAW:
                    self.gateway.receive_esp(without_ip_header(data, self.raw.family))
                else:
                    self.gateway.receive(time.monotonic_ns(), key.data, source[:2], data)
                self.answer_inner()
            self.gateway.tick(time.monotonic_ns())

    def patience(self):
        deadline = self.gateway.deadline()
        if deadline is None:
            return 0.5
        return min(0.5, max(0.0, (deadline - time.monotonic_ns()) / 1e9))

    def answer_inner(self):
        for packet in self.gateway.inner:
            reply = inner.answer(packet)
            sealed = reply and self.gateway.seal(reply)
            sa = self.gateway.newest()
            if sealed and sa and sa.udp_encapsulation:
                self.sockets[4500].sendto(sealed, sa.peer)
            elif sealed and sa:
                self.raw.sendto(sealed, (sa.peer[0], 0))
        self.gateway.inner.clear()

    def flush(self):
        for datagram in self.gateway.take_outbox():
            if datagram.name == 'esp' and datagram.port != 4500:
                self.raw.sendto(datagram.data, (datagram.peer[0], 0))
            else:
                self.sockets[datagram.port].sendto(datagram.data, datagram.peer)
        log = self.gateway.judge.log
        if not self.quiet:
            for _, text in log[self.logged :]:
                print(text, flush=True)
        self.logged = len(log)


def main():
    server = Server(parse_arguments())
    server.run()
    server.flush()
    violations = server.gateway.judge.violations
    for _, rule, text in violations:
        print(f'violation {rule}: {text}')
    print(f'{len(violations)} violations', flush=True)
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(main())
