#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A bad network in user space, for kernels without netem.

Listens on UDP ports 500 and 4500 of an address and passes datagrams on to the same port of a
gateway, from a socket of its own for each client's address and port. Each datagram, in each
direction, may be lost, sent twice, delayed, or held back so that a later one overtakes it. The
dice are seeded: with the same seed the same numbers in the sequence of datagrams are hit.

A line on standard input of the form "loss=30" changes a setting while the relay runs.
"""

import argparse
import heapq
import itertools
import random
import selectors
import socket
import sys
import time

PORTS = (500, 4500)


class Relay:
    def __init__(self, given):
        self.given = given
        self.dice = random.Random(given.seed)
        self.selector = selectors.DefaultSelector()
        self.flows = {}
        self.waiting = []
        self.order = itertools.count()
        for port in PORTS:
            sock = self.socket()
            sock.bind((given.listen, port))
            self.selector.register(sock, selectors.EVENT_READ, ("client", port, None))

    @staticmethod
    def socket():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.setblocking(False)
        return sock

    def chance(self, percent):
        return self.dice.random() * 100 < percent

    def pass_on(self, sock, data, to):
        """Puts a datagram into the queue: never, once or twice, now or later."""
        lost, twice, late = (self.chance(p) for p in
                             (self.given.loss, self.given.duplicate, self.given.reorder))
        if self.given.verbose:
            fate = "lost" if lost else "twice" if twice else "late" if late else "passed on"
            way = "to client" if to else "to gateway"
            print(f"{time.monotonic():.3f} {len(data)} bytes {way}: {fate}", flush=True)
        if lost:
            return
        jitter = self.dice.random() * self.given.jitter
        for copy in range(2 if twice else 1):
            delay = self.given.delay + jitter + copy + (self.given.hold if late else 0)
            due = time.monotonic() + delay / 1000
            heapq.heappush(self.waiting, (due, next(self.order), sock, data, to))

    def flow(self, listener, peer, port):
        """The socket that stands for one client towards the gateway."""
        if (peer, port) not in self.flows:
            sock = self.socket()
            sock.connect((self.given.to, port))
            self.flows[peer, port] = sock
            self.selector.register(sock, selectors.EVENT_READ, ("gateway", listener, peer))
        return self.flows[peer, port]

    def receive(self, sock, kind, what, peer):
        for _ in range(64):
            try:
                data, source = sock.recvfrom(65535)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if kind == "client":
                self.pass_on(self.flow(sock, source, what), data, None)
            else:
                self.pass_on(what, data, peer)

    def deliver(self):
        """Sends what is due; returns the seconds to the next."""
        while self.waiting:
            due, _, sock, data, to = self.waiting[0]
            left = due - time.monotonic()
            if left > 0:
                return left
            heapq.heappop(self.waiting)
            try:
                sock.sendto(data, to) if to else sock.send(data)
            except (BlockingIOError, ConnectionRefusedError):
                pass
        return None

    def change(self, line):
        name, _, value = line.strip().partition("=")
        if hasattr(self.given, name):
            setattr(self.given, name, float(value))
            print(f"{name}={value}", flush=True)

    def run(self):
        if self.given.control:
            self.selector.register(sys.stdin, selectors.EVENT_READ, ("control", None, None))
        print("ready", flush=True)
        while True:
            for key, _ in self.selector.select(self.deliver()):
                kind, what, peer = key.data
                if kind != "control":
                    self.receive(key.fileobj, kind, what, peer)
                    continue
                line = sys.stdin.readline()
                if line:
                    self.change(line)
                else:
                    self.selector.unregister(sys.stdin)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="print what becomes of each datagram")
    parser.add_argument("--control", action="store_true", help="take settings from standard input")
    for name, text in (("delay", "milliseconds, each way"), ("jitter", "milliseconds at most"),
                       ("loss", "percent"), ("duplicate", "percent"), ("reorder", "percent"),
                       ("hold", "milliseconds a reordered datagram is held back")):
        parser.add_argument("--" + name, type=float, default=10 if name == "hold" else 0, help=text)
    Relay(parser.parse_args()).run()


if __name__ == "__main__":
    main()
