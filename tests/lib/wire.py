#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is on a link, and what somebody on it can send there, by sockets of AF_PACKET.

usage: wire.py arp LINK ADDRESS              asks who has it, prints "answered" or "silence"
       wire.py syn LINK MAC FROM TO PORT     sends a TCP SYN to this MAC, prints "answered by ..." or "silence"
       wire.py send ADDRESS,PORT[,HOW]... sends a datagram to each; HOW: a link to bind to, 0x... a
                                             mark, or the port that it comes from
       wire.py end LINK NUMBER               sends a frame that no filter of IP stops, prints "sent": who
                                             has seen it has seen all that left before
       wire.py watch LINK                    prints "ready", and a line for each frame that leaves:
                                             time, protocol, source, destination, ports

Run in the namespace that has the link.
"""

import errno
import ipaddress
import socket
import struct
import sys
import time

ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x86DD
ETH_P_END = 0x88B5  # one that IEEE 802 left for experiments
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33  # asm-generic/socket.h
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 50: "esp", 58: "icmp6"}
WAIT = 0.4


def opened(link, protocol=ETH_P_ALL):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    wire.bind((link, protocol))
    return wire


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def answer(wire, matches):
    """What the first frame that matches says within a moment, or None."""
    end = time.monotonic() + WAIT
    while (left := end - time.monotonic()) > 0:
        wire.settimeout(left)
        try:
            frame, where = wire.recvfrom(65535)
        except TimeoutError:
            return None
        if where[2] != PACKET_OUTGOING and (said := matches(frame)):
            return said
    return None


def ask_arp(link, address):
    """RFC 826, for an address that may be nobody's here."""
    wire = opened(link, ETH_P_ARP)
    ours, wanted = wire.getsockname()[4], socket.inet_aton(address)
    wire.send(b"\xff" * 6 + ours + struct.pack("!HHHBBH", ETH_P_ARP, 1, ETH_P_IP, 6, 4, 1)
              + ours + socket.inet_aton("0.0.0.0") + bytes(6) + wanted)
    return answer(wire, lambda f: f[20:22] == b"\x00\x02" and f[28:32] == wanted and "answered")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send_syn(link, mac, source, target, port):
    """From a neighbour who guesses: whatever answers tells him that he is right."""
    wire = opened(link, ETH_P_IP)
    a, b = socket.inet_aton(source), socket.inet_aton(target)
    tcp = struct.pack("!HHIIBBHHH", 40001, int(port), 1, 0, 0x50, 2, 1024, 0, 0)
    pseudo = a + b + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 7, 0, 64, 6, 0) + a + b
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    wire.send(mac_bytes(mac) + wire.getsockname()[4] + struct.pack("!H", ETH_P_IP) + head + tcp)

    def of_target(frame):
        is_it = frame[12:14] == b"\x08\x00" and frame[26:30] == b and frame[30:34] == a
        return is_it and f"answered by {PROTOCOLS.get(frame[23], frame[23])}"
    return answer(wire, of_target)


def ports(protocol, data):
    return struct.unpack("!HH", data[:4]) if protocol in (6, 17) and len(data) >= 4 else (0, 0)


def described(frame):
    """protocol, source, destination and two ports; None for what is none of ours."""
    kind = struct.unpack("!H", frame[12:14])[0]
    data = frame[14:]
    if kind == ETH_P_ARP and len(data) >= 28:
        word = "arp-reply" if data[7] == 2 else "arp"
        return (word, socket.inet_ntoa(data[14:18]), socket.inet_ntoa(data[24:28]), 0, 0)
    if kind == ETH_P_END and len(data) >= 4:
        return ("end", str(struct.unpack("!I", data[:4])[0]), "-", 0, 0)
    if kind == ETH_P_IP and len(data) >= 20:
        size = (data[0] & 15) * 4
        return (PROTOCOLS.get(data[9], str(data[9])), socket.inet_ntoa(data[12:16]),
                socket.inet_ntoa(data[16:20]), *ports(data[9], data[size:]))
    if kind == ETH_P_IPV6 and len(data) >= 40:
        return (PROTOCOLS.get(data[6], str(data[6])), str(ipaddress.ip_address(data[8:24])),
                str(ipaddress.ip_address(data[24:40])), *ports(data[6], data[40:]))
    return None


def watch(link):
    wire = opened(link)
    wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)  # a flood is seen to its end
    print("ready", flush=True)
    while True:
        try:
            frame, where = wire.recvfrom(65535)
        except OSError as error:
            # Said once of a link that is down; it is watched from the moment when it comes up.
            if error.errno != errno.ENETDOWN:
                raise
            continue
        said = described(frame) if where[2] == PACKET_OUTGOING else None
        if said:
            print(f"{time.monotonic():.4f}", *said, flush=True)


def send(address, port, how=""):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if how.startswith("0x"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(how, 16))
        elif how.isdecimal():
            sock.bind(("", int(how)))
        elif how:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, how.encode())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            sock.sendto(b"leak?", (address, int(port)))
        except OSError:
            pass  # nothing leaves, which the watcher will say


def end(link, number):
    wire = opened(link, ETH_P_END)
    wire.send(bytes(6) + wire.getsockname()[4] + struct.pack("!HI", ETH_P_END, int(number)) + bytes(42))
    print("sent")


def main():
    verb, *words = sys.argv[1:]
    if verb == "watch":
        watch(*words)
        return
    if verb == "send":
        for word in words:
            send(*word.split(","))
        return
    if verb == "end":
        end(*words)
        return
    said = ask_arp(*words) if verb == "arp" else send_syn(*words)
    print(said or "silence")


if __name__ == "__main__":
    main()
