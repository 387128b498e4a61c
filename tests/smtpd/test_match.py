"""Which rule is taken: match ... <t>."""

import pytest

from harness import free_port
from mailsite import HASH, LOGIN, REFUSED, TAKEN

ANYBODY = "somebody@example.org"


@pytest.mark.serves("domain")
def test_for_domain(site):
    site.start("match from any for domain <t> action deliver", domain=["example.org"])
    site.delivered(site.send("alice@example.org"))
    assert site.rcpt("alice@EXAMPLE.org") in TAKEN
    assert site.rcpt("alice@example.com") in REFUSED
    assert site.rcpt("alice@sub.example.org") in REFUSED


@pytest.mark.serves("domain")
def test_not_for_domain(site):
    site.start("match from any !for domain <t> action deliver", domain=["example.org"])
    assert site.rcpt("alice@example.org") in REFUSED
    assert site.rcpt("alice@example.com") in TAKEN


@pytest.mark.serves("domain")
def test_helo(site):
    site.start("match from any helo <t> for any action deliver", domain=["client.example.org"])
    assert site.rcpt(ANYBODY, helo="client.example.org") in TAKEN
    assert site.rcpt(ANYBODY, helo="client.example.com") in REFUSED


@pytest.mark.serves("mailaddr")
def test_mail_from(site):
    site.start("match from any mail-from <t> for any action deliver",
               mailaddr=["friend@example.net"])
    site.delivered(site.send(ANYBODY, sender="friend@example.net"))
    assert site.rcpt(ANYBODY, sender="foe@example.net") in REFUSED
    assert site.rcpt(ANYBODY, sender="friend@example.com") in REFUSED


@pytest.mark.serves("mailaddr")
def test_from_mail_from(site):
    site.start("match from mail-from <t> for any action deliver", mailaddr=["friend@example.net"])
    assert site.rcpt(ANYBODY, sender="friend@example.net") in TAKEN
    assert site.rcpt(ANYBODY, sender="foe@example.net") in REFUSED


@pytest.mark.serves("mailaddr")
def test_rcpt_to(site):
    site.start("match from any for rcpt-to <t> action deliver", mailaddr=["alice@example.org"])
    site.delivered(site.send("alice@example.org"))
    assert site.rcpt("alicia@example.org") in REFUSED


@pytest.mark.serves("mailaddr", "string")
@pytest.mark.parametrize("rule", ["from any auth <t>", "from auth <t>"])
def test_auth(site, rule):
    """A login with an @ is asked for as mailaddr, one without as string."""
    logins = ["alice", "bob", "alice@example.org", "bob@example.org"]
    site.start(f"match {rule} for any action deliver",
               "table logins { %s }" % ", ".join(f'"{name}" = "{HASH}"' for name in logins),
               listen="tls pki test auth-optional <logins>",
               string=["alice"], mailaddr=["alice@example.org"])
    password = LOGIN[1]
    assert site.rcpt(ANYBODY, login=("alice", password)) in TAKEN
    assert site.rcpt(ANYBODY, login=("alice@example.org", password)) in TAKEN
    assert site.rcpt(ANYBODY, login=("bob", password)) in REFUSED
    assert site.rcpt(ANYBODY, login=("bob@example.org", password)) in REFUSED
    assert site.rcpt(ANYBODY) in REFUSED


@pytest.mark.serves("string")
def test_tag(site):
    other = free_port()
    site.start(f"listen on 127.0.0.1 port {other} tag outside",
               "match from any tag <t> for any action deliver",
               listen="tag inside", string=["inside"])
    assert site.rcpt(ANYBODY) in TAKEN
    assert site.rcpt(ANYBODY, port=other) in REFUSED


@pytest.mark.serves("netaddr")
def test_from_src(site):
    site.start("match from src <t> for any action deliver", netaddr=["127.0.0.2"])
    assert site.rcpt(ANYBODY, source="127.0.0.2") in TAKEN
    assert site.rcpt(ANYBODY, source="127.0.0.3") in REFUSED


@pytest.mark.serves("netaddr")
def test_from_src_of_ipv6(site):
    site.start("match from src <t> for any action deliver",
               f"listen on ::1 port {site.port}", netaddr=["[::1]"])
    assert site.rcpt(ANYBODY, source="::1") in TAKEN
    assert site.rcpt(ANYBODY) in REFUSED


@pytest.mark.serves("netaddr")
def test_from_src_of_the_machine_itself(site):
    """What sendmail(8) brings comes from `local'."""
    site.start("match from src <t> for any action deliver", netaddr=["local"])
    site.delivered(site.enqueue("alice@example.org"))
    assert site.rcpt(ANYBODY) in REFUSED


@pytest.mark.serves("netaddr")
def test_from_rdns(site):
    """smtpd takes the table for one of domains, and asks it for netaddr."""
    site.start("match from rdns <t> for any action deliver", netaddr=["host2.example.test"])
    assert site.rcpt(ANYBODY, source="127.0.0.2") in TAKEN
    assert site.rcpt(ANYBODY, source="127.0.0.3") in REFUSED


@pytest.mark.serves("regex")
@pytest.mark.parametrize("condition, pattern, yes, no", [
    ("for domain regex <t>", "%.example.org",
        {"recipient": "a@sub.example.org"}, {"recipient": "a@example.org"}),
    ("for rcpt-to regex <t>", "list-%@example.org",
        {"recipient": "list-1@example.org"}, {"recipient": "a@example.org"}),
    ("mail-from regex <t> for any", "%@example.net",
        {"sender": "a@example.net"}, {"sender": "a@example.com"}),
    ("helo regex <t> for any", "mx_.example.net",
        {"helo": "mx1.example.net"}, {"helo": "client.example.net"}),
    ("auth regex <t> for any", "al%", {"login": LOGIN}, {}),
    ("tag regex <t> for any", "ins%", {}, None),
])
def test_regex(site, condition, pattern, yes, no):
    other = free_port()
    site.start(f"match from any {condition} action deliver",
               f'table logins {{ "{LOGIN[0]}" = "{HASH}" }}',
               f"listen on 127.0.0.1 port {other} tag outside",
               listen="tag inside tls pki test auth-optional <logins>", regex=[pattern])
    no = {"port": other} if no is None else no
    assert site.rcpt(**{"recipient": ANYBODY} | yes) in TAKEN
    assert site.rcpt(**{"recipient": ANYBODY} | no) in REFUSED


@pytest.mark.serves("regex")
def test_from_src_regex(site):
    site.start("match from src regex <t> for any action deliver", regex=["127.%.2"])
    assert site.rcpt(ANYBODY, source="127.0.0.2") in TAKEN
    assert site.rcpt(ANYBODY, source="127.0.0.3") in REFUSED


@pytest.mark.serves("regex")
def test_from_rdns_regex(site):
    site.start("match from rdns regex <t> for any action deliver", regex=["host2.%"])
    assert site.rcpt(ANYBODY, source="127.0.0.2") in TAKEN
    assert site.rcpt(ANYBODY, source="127.0.0.3") in REFUSED
