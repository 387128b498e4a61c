"""Filters that smtpd has built in: filter ... match ... <t>."""

import pytest

from mailsite import HASH, LOGIN, REFUSED, TAKEN

RULE = "match from any for any action deliver"
LOGINS = f'table logins {{ alice = "{HASH}", bob = "{HASH}" }}'


def start(site, phase, condition, listen="", **facts):
    site.start(f'filter wall phase {phase} match {condition} reject "550 behind the wall"',
               LOGINS, RULE, listen=f"filter wall {listen}", **facts)


@pytest.mark.serves("netaddr")
def test_source(site):
    site.start('filter wall phase connect match src <t> disconnect "554 go away"', RULE,
               listen="filter wall", netaddr=["127.0.0.2"])
    assert site.banner(source="127.0.0.2") == (554, "go away")
    assert site.rcpt("x@example.org", source="127.0.0.3") in TAKEN


@pytest.mark.serves("domain")
@pytest.mark.parametrize("condition, hit, miss", [
    ("rdns <t>", {"source": "127.0.0.2"}, {"source": "127.0.0.3"}),
    ("helo <t>", {"helo": "host2.example.test"}, {"helo": "other.example.test"}),
])
def test_host(site, condition, hit, miss):
    start(site, "mail-from", condition, domain=["host2.example.test"])
    assert site.rcpt("x@example.org", **hit) in REFUSED
    assert site.rcpt("x@example.org", **miss) in TAKEN


@pytest.mark.serves("mailaddr")
@pytest.mark.parametrize("name, party", [("mail-from", "sender"), ("rcpt-to", "recipient")])
def test_address(site, name, party):
    start(site, name, f"{name} <t>", mailaddr=["foe@example.net"])
    people = {"sender": "a@example.org", "recipient": "b@example.org"}
    assert site.rcpt(**people | {party: "foe@example.net"}) in REFUSED
    assert site.rcpt(**people) in TAKEN


@pytest.mark.serves("string")
def test_login(site):
    start(site, "mail-from", "auth <t>", "tls pki test auth <logins>", string=["bob"])
    assert site.rcpt("x@example.org", login=("bob", LOGIN[1])) in REFUSED
    assert site.rcpt("x@example.org", login=("alice", LOGIN[1])) in TAKEN


@pytest.mark.serves("credentials")
def test_login_with_credentials(site):
    """smtpd asks whether they are there with a check, not with a lookup."""
    start(site, "mail-from", "auth <t>", "tls pki test auth <logins>", credentials={"bob": HASH})
    assert site.rcpt("x@example.org", login=("bob", LOGIN[1])) in REFUSED
    assert site.rcpt("x@example.org", login=("alice", LOGIN[1])) in TAKEN


@pytest.mark.serves("regex")
@pytest.mark.parametrize("phase, condition, pattern, hit", [
    ("mail-from", "src", "127.%.2", {"source": "127.0.0.2"}),
    ("mail-from", "rdns", "host2.%", {"source": "127.0.0.2"}),
    ("mail-from", "helo", "evil%", {"helo": "evil.example.test"}),
    ("mail-from", "mail-from", "foe@%", {"sender": "foe@example.net"}),
    ("rcpt-to", "rcpt-to", "foe@%", {"recipient": "foe@example.net"}),
])
def test_regex(site, phase, condition, pattern, hit):
    start(site, phase, f"{condition} regex <t>", regex=[pattern])
    usual = {"recipient": "x@example.org", "source": "127.0.0.3"}
    assert site.rcpt(**usual | hit) in REFUSED
    assert site.rcpt(**usual) in TAKEN
