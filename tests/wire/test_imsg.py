"""The imsg protocol, version 2."""

import struct

import pytest

import raw
from raw import CHECK, CLOSE, FETCH, LOOKUP, OK, UPDATE, answer, imsg, imsg_request, opening

ALIAS, DOMAIN, CREDENTIALS, SOURCE = 1, 2, 4, 0x20


def lookup(key, service=ALIAS):
    return imsg_request(LOOKUP, service, key)


ASKED = [
    (lookup(b"value:a@b"), (1, b"a@b")),
    (lookup(b"value:a;b"), (1, b"a, b")),
    (lookup(b"nothing"), (0, None)),
    (lookup(b"fail"), (-1, None)),
    (lookup(b"empty"), (-1, None)),
    (lookup(b"newline"), (-1, None)),
    (lookup(b"nul"), (-1, None)),
    (lookup(b"long:2047"), (1, 2047 * b"x")),
    (lookup(b"long:2048"), (-1, None)),
    (lookup(b"value:bob,hash", CREDENTIALS), (1, b"bob:hash")),
    (imsg_request(CHECK, DOMAIN, b"value:x"), (1, None)),
    (imsg_request(CHECK, DOMAIN, b"nothing"), (0, None)),
    (imsg_request(CHECK, DOMAIN, b"fail"), (-1, None)),
    (imsg_request(FETCH, SOURCE), (1, b"127.0.0.1")),
    (imsg_request(FETCH, SOURCE), (1, b"127.0.0.2")),
    (imsg_request(FETCH, ALIAS), (-1, None)),
    (imsg(UPDATE), (1, None)),
    (imsg_request(LOOKUP, ALIAS, b"value:p", [(b"key", b"value"), (b"", b"")]), (1, b"p")),
    (imsg_request(LOOKUP, 0x2000, b"value:x"), (-1, None)),
    (imsg_request(LOOKUP, 3, b"value:x"), (-1, None)),
    (imsg_request(LOOKUP, 0, b"value:x"), (-1, None)),
    (imsg_request(LOOKUP, -1, b"value:x"), (-1, None)),
    (lookup(b""), (0, None)),
    (imsg(LOOKUP), (-1, None)),
    (imsg(LOOKUP, struct.pack("=iQ", ALIAS, 0) + b"no end"), (-1, None)),
    (imsg(LOOKUP, struct.pack("=iQ", ALIAS, 2**64 - 1) + b"a\0"), (-1, None)),
    (imsg(LOOKUP, struct.pack("=iQ", ALIAS, 0) + b"a\0b\0"), (-1, None)),
    (imsg(CHECK, struct.pack("=i", ALIAS)), (-1, None)),
    (imsg(FETCH, b"\0"), (-1, None)),
    (lookup(b"x" * 16000), (0, None)),
]


@pytest.mark.parametrize("sent, said", ASKED, ids=[str(i) for i in range(len(ASKED))])
def test_answers(start, sent, said):
    t = start()
    t.open()
    if said == (1, b"127.0.0.2"):
        t.send(sent)
        t.frame()
    t.send(sent)
    assert answer(t.frame()) == said
    assert t.silent(0.05)


def test_all_at_once_in_order(start):
    t = start()
    t.send(opening() + b"".join(sent for sent, _ in ASKED))
    assert t.frame() == (OK, b"")
    assert [answer(t.frame()) for _ in ASKED] == [said for _, said in ASKED]


def test_byte_by_byte(start):
    t = start()
    t.send_bytewise(opening())
    assert t.frame() == (OK, b"")
    for sent, said in ASKED[:16]:
        t.send_bytewise(sent)
        assert answer(t.frame()) == said


def test_cut_at_every_byte(start):
    t = start()
    t.open()
    one = lookup(b"value:a") + imsg_request(CHECK, DOMAIN, b"nothing")
    for cut in range(1, len(one)):
        t.send(one[:cut])
        t.send(one[cut:])
        assert answer(t.frame()) == (1, b"a")
        assert answer(t.frame()) == (0, None)


def test_a_thousand_in_flight_keep_their_order(start):
    t = start()
    t.open()
    t.send(b"".join(lookup(f"late:{(i * 7) % 300}:v{i}".encode()) for i in range(1000)))
    assert [answer(t.frame()) for _ in range(1000)] == [(1, f"v{i}".encode()) for i in range(1000)]
    assert t.silent(0.4)


def test_the_deadline_lets_the_rest_through(start):
    t = start("timeout 300ms\n")
    t.open()
    t.send(lookup(b"never") + lookup(b"value:second") + lookup(b"late:100:third"))
    assert answer(t.frame()) == (-1, None)
    assert answer(t.frame()) == (1, b"second")
    assert answer(t.frame()) == (1, b"third")


def test_answers_go_back_on_descriptor_0(conf):
    """Before 7.6, descriptor 1 is no socket to smtpd."""
    import subprocess
    from harness import FAKE
    near, far = raw.socket.socketpair()
    child = subprocess.Popen(["t", conf()], executable=FAKE, stdin=far, stdout=subprocess.PIPE)
    far.close()
    near.settimeout(10)
    near.sendall(opening())
    assert len(near.recv(100)) == raw.HEADER.size
    near.close()
    assert child.communicate(timeout=10)[0] == b""


def test_close_ends_it(start):
    t = start()
    t.open()
    t.send(imsg(CLOSE))
    assert t.status() == 0


FATAL = [
    (imsg(LOOKUP, b"", 15), "frame of 15 bytes"),
    (imsg(LOOKUP, b"", 0), "frame of 0 bytes"),
    (imsg(LOOKUP, b"", 16385), "frame of 16385 bytes"),
    (imsg(LOOKUP, b"", 65535), "frame of 65535 bytes"),
    (imsg(99), "unknown type 99"),
    (imsg(OK), "unknown type 0"),
    (opening(), "second imsg OPEN"),
]


@pytest.mark.parametrize("sent, said", FATAL, ids=[said for _, said in FATAL])
def test_a_broken_wire_is_one_clear_line(start, sent, said):
    t = start()
    t.open()
    t.send(sent)
    assert t.status() == 1
    lines = t.said().splitlines()
    assert len(lines) == 1 and said in lines[0]


FIRST = [
    (opening(3), "version 3 of the imsg table protocol"),
    (opening(1), "version 1 of the imsg table protocol"),
    (raw.imsg(raw.OPEN, b"short"), "imsg OPEN of an unknown size"),
    (lookup(b"x"), "frame of type 6 where OPEN (2) is due"),
    (struct.pack(">IHHII", 2, 16, 0, 0, 0), "other byte order"),
    (b"\xff\xfe\xfd\xfc" * 4, "the bytes ff fe fd fc"),
    (b"report|0.7|x\n", 'the text "report|0.7|x"'),
    (b"GET / HTTP/1.0\n", 'the text "GET / HTTP/1.0"'),
]


@pytest.mark.parametrize("sent, said", FIRST, ids=[said for _, said in FIRST])
def test_says_what_an_unknown_protocol_looked_like(start, sent, said):
    t = start()
    t.send(sent)
    assert t.status() == 1
    lines = t.said().splitlines()
    assert len(lines) == 1 and said in lines[0]
    assert "0.1" in lines[0] or "unknown size" in lines[0]
