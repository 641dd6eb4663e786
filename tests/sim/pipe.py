# SPDX-License-Identifier: GPL-2.0-or-later
"""The protocol core behind its line protocol (ike-pipe): one process serves many sessions."""

import json
import os
import select
import shlex
import subprocess
import tempfile

PATIENCE = 60.0  # real seconds that one command may take


class PipeDied(Exception):
    """The process ended, hung or spoke nonsense; the text says what its stderr said."""


class Answer:
    """What one command gave: packets [(port, bytes)], events [(name, dict)], the deadline, other
    lines.
    """

    def __init__(self):
        self.packets = []
        self.events = []
        self.deadline = None
        self.lines = []
        self.order = []


class Pipe:
    def __init__(self, command):
        self.command = shlex.split(command) if isinstance(command, str) else command
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            bufsize=0,
        )
        self.buffer = b''

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.process.returncode

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace')[-4000:]

    def command_line(self, text):
        """Sends one command and reads lines up to the one with a single dot."""
        try:
            self.process.stdin.write(text.encode() + b'\n')
            return self._read_answer()
        except (BrokenPipeError, ValueError) as error:
            raise PipeDied(f'{text[:60]}: {error}\n{self.complaint()}') from error

    def _read_answer(self):
        lines = []
        while True:
            line = self._read_line()
            if line == '.':
                return lines
            lines.append(line)

    def _read_line(self):
        while b'\n' not in self.buffer:
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                self.process.kill()
                raise PipeDied(f'no answer in {PATIENCE} s')
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                self.process.wait()
                raise PipeDied(f'ended with {self.process.returncode}\n{self.complaint()}')
            self.buffer += data
        line, self.buffer = self.buffer.split(b'\n', 1)
        return line.decode()

    def ask(self, text):
        answer = Answer()
        for line in self.command_line(text):
            word, _, rest = line.partition(' ')
            if word == 'packet':
                port, data = rest.split(' ')
                answer.packets.append((int(port), bytes.fromhex(data)))
                answer.order.append(('packet', answer.packets[-1]))
            elif word == 'event':
                name, _, body = rest.partition(' ')
                answer.events.append((name, json.loads(body or '{}')))
                answer.order.append(('event', answer.events[-1]))
            elif word == 'deadline':
                answer.deadline = None if rest == 'never' else int(rest)
            else:
                answer.lines.append(line)
        return answer
