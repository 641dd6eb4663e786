# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests/bench/throughput has measured, as tables and as a picture."""

import os
import re
import statistics
import subprocess
import time
from xml.sax.saxutils import escape

from lab import ROOT

PAGE = os.path.join(ROOT, "docs", "performance.md")
PICTURE = os.path.join(ROOT, "docs", "pictures", "throughput.svg")
BEGIN = "<!-- The tables are written by tests/bench/throughput --write. -->"
END = "<!-- End of what is written. -->"
PACKAGES = ("strongswan-charon", "vpnc", "openvpn", "wireguard-go", "libssl3", "libipsec-mb1")
CLIENTS = ("dialtone", "vpnc", "charon-cmd")
WIRE = "the wire alone"

STYLE = """
  text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328; }
  .heading { font-weight: bold; }
  .own { fill: #1a66b3; } .other { fill: #8a929b; } .bound { fill: none; stroke: #57606a; stroke-dasharray: 4 3; }
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .own { fill: #5aa9f5; } .other { fill: #79828c; } .bound { stroke: #a5aeb8; }
    .ground { fill: #0d1117; }
  }
"""


def machine():
    """One line on where it was measured."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.M)
    name = model.group(1) if model else os.uname().machine
    kernel = os.uname().release.split("-")[0]
    return f"{name}, {os.cpu_count()} processors, Linux {kernel}, {time.strftime('%Y-%m-%d')}"


def versions():
    done = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", *PACKAGES], capture_output=True, text=True)
    return ", ".join(line for line in done.stdout.splitlines() if not line.endswith(" "))


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def aligned(rows):
    """Rows of a table in columns of equal width, the first to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                        for i, (cell, w) in enumerate(zip(row, widths))).rstrip()


def markdown(rows):
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|" + "|".join(["---"] + ["---:"] * (len(rows[0]) - 1)) + "|"
    for row in rows[1:]:
        yield "| " + " | ".join(row) + " |"


class Figures:
    """Medians of all rounds."""

    def __init__(self, results):
        self.results = results

    def get(self, kind, name, field):
        values = [r[field] for r in self.results.get(kind, {}).get(name, [])]
        return statistics.median(values) if values else None

    def rounds(self):
        n = max((len(v) for v in self.results.get("up", {}).values()), default=0)
        return f"medians of {n} rounds" if n > 1 else "one round"

    # ---- tables ----
    def both_ends(self):
        rows = [["both ends", "TCP Mbit/s", "CPU s/GB sender", "receiver", "64 bytes packets/s", "IMIX Mbit/s",
                 "peak RSS MB", "PSS MB"]]
        names = [n for n in self.results.get("up", {}) if n not in CLIENTS]
        for name in sorted(names, key=lambda n: -self.get("up", n, "mbit")):
            rows.append([name, number(self.get("up", name, "mbit")), *self.costs("up", name), *self.rest(name)])
        return rows

    def clients(self):
        rows = [["client of strongSwan, aes128-sha1", "TCP up Mbit/s", "CPU s/GB client", "gateway", "TCP down Mbit/s",
                 "CPU s/GB client", "gateway", "64 bytes packets/s", "IMIX Mbit/s", "peak RSS MB", "PSS MB"]]
        for name in CLIENTS:
            if name in self.results.get("up", {}):
                rows.append([name, number(self.get("up", name, "mbit")), *self.costs("up", name),
                             number(self.get("down", name, "mbit")), *self.costs("down", name), *self.rest(name)])
        return rows

    def costs(self, way, name):
        if name == WIRE:
            return ["-", "-"]
        return [number(self.get(way, name, side), 2) for side in ("near", "far")]

    def rest(self, name):
        memory = [self.get("memory", name, field) for field in ("peak", "pss")]
        return [number(self.get("small", name, "packets")), number(self.get("imix", name, "mbit")),
                *(number(m and m / 1024, 1) for m in memory)]

    def streams(self):
        kinds = [kind for kind in self.results if kind.startswith("streams ")]
        rows = [["TCP streams, Mbit/s together", *(kind.removeprefix("streams ") for kind in kinds)]]
        every = dict.fromkeys(n for kind in kinds for n in self.results[kind])
        return rows + [[n, *(number(self.get(kind, n, "mbit")) for kind in kinds)] for n in every]

    def latency(self):
        rows = [["ping, ms", "alone", "beside a transfer", "95 of 100 within"]]
        return rows + [[n, *(number(self.get("latency", n, f), 2) for f in ("alone", "median", "late"))]
                       for n in self.results.get("latency", {})]

    def tunnels(self):
        rows = [["idle tunnels in one process", "PSS MB", "kB a tunnel", "CPU s/s", "wakeups/s"]]
        for n in self.results.get("tunnels", {}):
            pss = self.get("tunnels", n, "pss")
            rows.append([n, number(pss / 1024, 1), number(pss / int(n)), number(self.get("tunnels", n, "cpu"), 3),
                         number(self.get("tunnels", n, "wakeups"), 1)])
        return rows

    def tables(self):
        every = (self.both_ends(), self.clients(), self.streams(), self.latency(), self.tunnels())
        return [rows for rows in every if len(rows) > 1]

    def print(self):
        print(f"# {machine()}\n# {versions()}\n# {self.rounds()}")
        for rows in self.tables():
            print("#")
            for line in aligned(rows):
                print(f"#   {line}")

    # ---- docs ----
    def write(self):
        with open(PAGE, encoding="utf-8") as file:
            text = file.read()
        before, rest = text.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        lines = [BEGIN, "", f"{machine()}; {versions()}; {self.rounds()}.", ""]
        for rows in self.tables():
            lines += [*markdown(rows), ""]
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(before + "\n".join([*lines, END]) + after)
        with open(PICTURE, "w", encoding="utf-8") as file:
            file.write(self.picture())

    def bars(self):
        """(text, Mbit/s, class) of each bar, None and a text for a heading."""
        rates = [(n, self.get("up", n, "mbit")) for n in self.results.get("up", {}) if n != WIRE and n not in CLIENTS]
        bars = [("Both ends, one TCP stream, Mbit/s", None, "heading")]
        for name, rate in sorted(rates, key=lambda r: -r[1]):
            kind = "bound" if name == "bare relay" else "own" if name.startswith("dialtone") else "other"
            bars.append((name, rate, kind))
        bars.append(("Clients of a strongSwan gateway, aes128-sha1, up and down, Mbit/s", None, "heading"))
        for name in CLIENTS:
            for way in ("up", "down"):
                rate = self.get(way, name, "mbit")
                if rate is not None:
                    bars.append((f"{name} {way}", rate, "own" if name == "dialtone" else "other"))
        return bars

    def picture(self):
        """Bars to one scale in each group, with the figure at the end of each."""
        bars = self.bars()
        width, left, step = 760, 200, 26
        room = width - left - 80
        lines, top, scale = [], 12, 1.0
        for at, (text, rate, kind) in enumerate(bars):
            if rate is None:
                group = [r for _, r, _ in bars[at + 1:at + 1 + next(
                    (i for i, b in enumerate(bars[at + 1:]) if b[1] is None), len(bars))]]
                scale = room / max(group, default=1)
                top += 10
                lines.append(f'  <text class="heading" x="12" y="{top + 15}">{escape(text)}</text>')
            else:
                lines.append(f'  <text x="{left - 8}" y="{top + 15}" text-anchor="end">{escape(text)}</text>')
                lines.append(f'  <rect class="{kind}" x="{left}" y="{top + 2}" width="{max(1, rate * scale):.0f}" '
                             f'height="{step - 8}" rx="2"/>')
                lines.append(f'  <text x="{left + rate * scale + 6:.0f}" y="{top + 15}">{number(rate)}</text>')
            top += step
        height = top + 12
        told = "; ".join(f"{text}: {number(rate)}" if rate is not None else text for text, rate, _ in bars)
        head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                f'height="{height}" role="img" aria-labelledby="title desc">',
                '  <title id="title">TCP throughput of Dialtone beside other programs</title>',
                f'  <desc id="desc">{escape(told)}. {escape(machine())}.</desc>', f"  <style>{STYLE}  </style>",
                f'  <rect class="ground" width="{width}" height="{height}"/>']
        return "\n".join([*head, *lines, "</svg>"]) + "\n"
