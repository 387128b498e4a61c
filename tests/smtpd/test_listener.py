"""What a listener asks: auth <t>, senders <t>, hostnames <t>."""

import pytest

from mailsite import HASH, LOGIN, REFUSED, TAKEN

LISTEN = "tls pki test auth"
LOGINS = f'table logins {{ {LOGIN[0]} = "{HASH}" }}'
RULE = "match from any auth for any action deliver"


@pytest.mark.serves("credentials")
@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("login", ["alice", "alice@example.org"])
def test_auth(site, login, method):
    site.start(RULE, listen=f"{LISTEN} <t>", credentials={login: HASH, "bob": "*"})
    assert site.login(login, LOGIN[1], method) == 235
    assert site.login(login, "wrong", method) == 535
    assert site.login("nobody", LOGIN[1], method) == 535
    assert site.login("bob", LOGIN[1], method) == 535
    assert site.rcpt("alice@example.org") == 530
    site.delivered(site.send("alice@example.org", login=(login, LOGIN[1]), method=method))


@pytest.mark.serves("auth")
@pytest.mark.since("7.9")
@pytest.mark.parametrize("password", ["secret", "SeCret", "se|cret", "se: cret"])
def test_auth_service(site, password):
    """The table checks the password itself."""
    site.start(RULE, listen=f"{LISTEN} <t>", auth={"Alice": password})
    assert site.login("Alice", password) == 235
    assert site.login("Alice", password.swapcase()) == 535
    assert site.login("Bob", password) == 535


@pytest.mark.serves("auth", "credentials")
def test_auth_service_beside_credentials(site):
    """Every smtpd takes the one of them that it can use."""
    site.start(RULE, listen=f"{LISTEN} <t>", auth=dict([LOGIN]), credentials={LOGIN[0]: HASH})
    assert site.login(*LOGIN) == 235
    assert site.login(LOGIN[0], "wrong") == 535


@pytest.mark.serves("mailaddrmap")
@pytest.mark.parametrize("sender, answer", [
    ("alice@example.org", TAKEN),
    ("sales@example.org", TAKEN),
    ("any@alice.example.org", TAKEN),
    ("bob@example.org", REFUSED),
    ("", REFUSED),
])
def test_senders(site, sender, answer):
    site.start(LOGINS, RULE, listen=f"{LISTEN} <logins> senders <t>", mailaddrmap={
        "alice": ["alice@example.org", "sales@example.org", "@alice.example.org"],
        "bob": ["bob@example.org"]})
    assert site.rcpt("x@example.org", sender=sender, login=LOGIN) in answer


@pytest.mark.serves("mailaddrmap")
def test_senders_of_nobody(site):
    site.start(LOGINS, RULE, listen=f"{LISTEN} <logins> senders <t>",
               mailaddrmap={"bob": ["alice@example.org"]})
    assert site.rcpt("x@example.org", sender="alice@example.org", login=LOGIN) in REFUSED


@pytest.mark.serves("addrname")
def test_hostnames(site):
    site.start("match from any for any action deliver", listen="hostnames <t>",
               addrname={"127.0.0.1": "mx1.example.org"})
    assert site.banner() == (220, "mx1.example.org ESMTP OpenSMTPD")
    with site.connect() as session:
        assert session.ehlo_resp.startswith(b"mx1.example.org Hello")


@pytest.mark.serves("addrname")
def test_hostnames_of_other_addresses(site):
    site.start("match from any for any action deliver", listen="hostname own.example.org hostnames <t>",
               addrname={"127.0.0.9": "mx1.example.org"})
    assert site.banner() == (220, "own.example.org ESMTP OpenSMTPD")
