"""A table program at the other end of a socket, as smtpd starts it: bytes."""

import os
import select
import signal
import socket
import struct
import subprocess
import time

HEADER = struct.Struct("=IHHII")        # type, length, flags, peerid, pid
OK, FAIL, OPEN, CLOSE, UPDATE, CHECK, LOOKUP, FETCH = range(8)
GREETING = b"config|smtpd-version|7.9.0-portable\nconfig|protocol|0.1\nconfig|tablename|t\nconfig|ready\n"


class Raw:
    def __init__(self, program, arg, stderr=subprocess.PIPE):
        self.near, far = socket.socketpair()
        self.near.settimeout(20)
        self.child = subprocess.Popen(
            ["t", arg], executable=program, stdin=far, stdout=far, stderr=stderr)
        far.close()
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.near.close()
        if self.child.poll() is None:
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        if self.child.stderr:
            self.child.stderr.close()

    def send(self, data):
        self.near.sendall(data)

    def send_bytewise(self, data):
        for i in range(len(data)):
            self.near.sendall(data[i:i + 1])

    def line(self):
        while b"\n" not in self.got:
            data = self.near.recv(65536)
            assert data, "the program closed its end; it said: " + self.said()
            self.got += data
        line, self.got = self.got.split(b"\n", 1)
        return line.decode("utf-8", "surrogateescape")

    def lines(self, n):
        return [self.line() for _ in range(n)]

    def bytes(self, n):
        while len(self.got) < n:
            data = self.near.recv(65536)
            assert data, "the program closed its end; it said: " + self.said()
            self.got += data
        data, self.got = self.got[:n], self.got[n:]
        return data

    def frame(self):
        """(type, payload) of the next imsg."""
        kind, length, *_ = HEADER.unpack(self.bytes(HEADER.size))
        return kind, self.bytes(length - HEADER.size)

    def greet(self):
        """The handshake of the line protocol; the services it registers."""
        self.send(GREETING)
        services = []
        while (line := self.line()) != "register|ready":
            services.append(line.removeprefix("register|"))
        return services

    def open(self, version=2):
        self.send(opening(version))
        assert self.frame() == (OK, b"")

    def silent(self, seconds=0.3):
        """Whether nothing comes for a while."""
        return not self.got and not select.select([self.near], [], [], seconds)[0]

    def hangup(self):
        os.kill(self.child.pid, signal.SIGHUP)

    def end(self):
        """Closes smtpd's end; the exit status."""
        self.near.close()
        return self.child.wait(10)

    def status(self):
        """The exit status of a program that ends by itself."""
        return self.child.wait(10)

    def said(self):
        """All that it wrote to stderr, once it has ended."""
        deadline = time.monotonic() + 10
        while self.child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.child.stderr.read().decode("utf-8", "replace")


def request(op, service, ident, key=None, version="0.1"):
    fields = ["table", version, "1713795082.354245", "t", op]
    fields += [service] if service else []
    fields += [ident] + ([key] if key is not None else [])
    return "|".join(fields).encode("utf-8", "surrogateescape") + b"\n"


def imsg(kind, payload=b"", length=None):
    size = HEADER.size + len(payload) if length is None else length
    return HEADER.pack(kind, size, 0, 0, 0) + payload


def opening(version=2, name=b"t"):
    return imsg(OPEN, struct.pack("=I", version) + name.ljust(2048, b"\0"))


def imsg_request(kind, service, key=None, pairs=()):
    payload = struct.pack("=iN".replace("N", "Q"), service, len(pairs))
    payload += b"".join(part + b"\0" for pair in pairs for part in pair)
    return imsg(kind, payload + (b"" if key is None else key + b"\0"))


def answer(frame):
    """(result, value) of a frame; the value is None where there is none."""
    kind, payload = frame
    assert kind == OK
    result, value = struct.unpack("=i", payload[:4])[0], payload[4:]
    if not value:
        return result, None
    assert value.endswith(b"\0") and b"\0" not in value[:-1]
    return result, value[:-1]


SERVICES = ("alias domain credentials netaddr userinfo source mailaddr addrname mailaddrmap "
            "relayhost string regex auth").split()


class Table(Raw):
    """One that has been greeted, asked over either wire: (word, value or reason)."""

    def __init__(self, program, arg, wire="line", **kwargs):
        super().__init__(program, arg, **kwargs)
        self.wire = wire
        self.services = self.greet() if wire == "line" else self.open()

    def sent(self, op, service=None, key=None, ident="1"):
        """The bytes of a request."""
        if self.wire == "line":
            return request(op, service, ident, key)
        if op == "update":
            return imsg(UPDATE)
        kind = {"check": CHECK, "lookup": LOOKUP, "fetch": FETCH}[op]
        return imsg_request(kind, 1 << SERVICES.index(service),
                            None if key is None else key.encode("utf-8", "surrogateescape"))

    def answer(self):
        if self.wire == "line":
            _, _, word, *value = self.line().split("|", 3)
            return word, (value[0] if value else None)
        result, value = answer(self.frame())
        word = {1: "found", 0: "not-found", -1: "error"}[result]
        return word, (None if value is None else value.decode("utf-8", "surrogateescape"))

    def ask(self, op, service=None, key=None):
        self.send(self.sent(op, service, key))
        return self.answer()

    def lookup(self, service, key):
        return self.ask("lookup", service, key)

    def check(self, service, key):
        return self.ask("check", service, key)[0]

    def fetch(self, service):
        return self.ask("fetch", service)

    def update(self):
        """Whether it was done."""
        return self.ask("update")[0] in ("ok", "found")
