#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What an office offers to its people: echo on port 7007 (UDP and TCP), a web page, a name server.

The name server answers A questions about the names it was given and NXDOMAIN for all others.
"""

import argparse
import http.server
import socket
import socketserver
import struct
import sys
import threading

PAGE = b"""<!doctype html>
<title>Intranet</title>
<h1>Welcome to the office</h1>
<p>You see this page because your tunnel works.</p>
"""


def echo(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    while True:
        data, peer = sock.recvfrom(65535)
        sock.sendto(data, peer)


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class LineServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *unused):
        sys.stdout.write(f"page for {self.client_address[0]}\n")


class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        """As the base class does, without asking a name server for its own name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


def question_name(query):
    """The name in the first question of a query, and where the question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace").lower())
        at += 1 + query[at]
    return ".".join(labels), at + 5


def answer(query, names):
    name, end = question_name(query)
    kind = struct.unpack("!H", query[end - 4:end - 2])[0]
    found = names.get(name, [])
    code = 0 if found else 3
    family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
    records = []
    for address in found:
        if family == (socket.AF_INET6 if ":" in address else socket.AF_INET):
            data = socket.inet_pton(family, address)
            records.append(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 5, len(data)) + data)
    header = query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(records), 0, 0)
    return header + query[12:end] + b"".join(records)


def serve_names(address, names):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    while True:
        query, peer = sock.recvfrom(4096)
        try:
            sock.sendto(answer(query, names), peer)
            print(f"name {question_name(query)[0]} for {peer[0]}", flush=True)
        except (IndexError, struct.error):
            print(f"a broken question from {peer[0]}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dns", required=True, help="address the name server listens on")
    parser.add_argument("--name", action="append", default=[], metavar="NAME=ADDRESS")
    parser.add_argument("--names-only", action="store_true")
    given = parser.parse_args()
    names = {}
    for pair in given.name:
        name, address = pair.split("=", 1)
        names.setdefault(name, []).append(address)
    threading.Thread(target=serve_names, args=(given.dns, names), daemon=True).start()
    if given.names_only:
        print("ready", flush=True)
        threading.Event().wait()
    threading.Thread(target=echo, args=("0.0.0.0", 7007), daemon=True).start()
    threading.Thread(target=LineServer(("0.0.0.0", 7007), Lines).serve_forever, daemon=True).start()
    server = Server(("0.0.0.0", 80), Page)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
