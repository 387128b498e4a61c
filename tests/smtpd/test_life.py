"""Change and failure: update, look-ups that fail, and all services together."""

import pytest

from mailsite import HASH, LATER, LOGIN, REFUSED, TAKEN, VMAIL

ANY = "match from any for any action deliver"
LOGINS = f'table logins {{ "{LOGIN[0]}" = "{HASH}", "alice@example.org" = "{HASH}" }}'
TLS = "tls pki test"


@pytest.mark.serves("credentials")
def test_update(site):
    site.start(ANY, listen=f"{TLS} auth <t>", credentials={"alice": HASH})
    assert site.login("bob", LOGIN[1]) == 535
    site.backend.load({"credentials": {"bob": HASH}})
    assert site.update()
    assert site.login("bob", LOGIN[1]) == 235
    assert site.login("alice", LOGIN[1]) == 535


@pytest.mark.serves("credentials")
def test_failed_update_changes_nothing(site):
    site.start(ANY, listen=f"{TLS} auth <t>", credentials={"alice": HASH})
    site.backend.spoil()
    assert not site.update()
    assert site.login("alice", LOGIN[1]) == 235
    site.backend.load({"credentials": {"bob": HASH}})
    assert site.update()
    assert site.login("bob", LOGIN[1]) == 235


@pytest.mark.serves("credentials")
def test_end(site):
    site.start(ANY, credentials={"alice": HASH})
    site.stop()
    assert not site.logged("(?i)fatal|error")
    site.process = None


@pytest.mark.serves("domain", "alias", "userinfo", "credentials", "mailaddrmap")
def test_one_table_for_everything(site):
    home = site.home("dora", 5001, 5002)
    site.start("action inbox maildir virtual <t> userbase <t>",
               "match from any for domain <t> action inbox",
               "match from any auth for any action deliver",
               listen=f"{TLS} auth-optional <t> senders <t>",
               domain=["example.org", "example.net"],
               alias={"dora@example.org": ["dora"], "@example.net": ["dora"]},
               userinfo={"dora": (5001, 5002, home)},
               credentials={"dora": HASH},
               mailaddrmap={"dora": ["dora@example.org"]})
    dora = {"login": ("dora", LOGIN[1]), "sender": "dora@example.org"}
    site.delivered(site.send("dora@example.org"), "dora")
    site.delivered(site.send("any@example.net"), "dora")
    site.delivered(site.send("far@example.com", **dora), "alice")
    assert site.rcpt("nobody@example.org") in REFUSED
    assert site.rcpt("far@example.com") in REFUSED
    assert site.rcpt("far@example.com", **dora | {"sender": "boss@example.org"}) in REFUSED
    assert site.login("dora", "wrong") == 535


@pytest.mark.serves("credentials", "userinfo")
def test_users_and_their_passwords(site):
    home = site.home("dora", 5001, 5002)
    site.start("action inbox maildir userbase <t>",
               "match from any for domain example.org action inbox",
               "match from any auth for any action deliver",
               listen=f"{TLS} auth-optional <t>",
               userinfo={"dora": (5001, 5002, home)}, credentials={"dora": HASH})
    site.delivered(site.send("dora@example.org"), "dora")
    site.delivered(site.send("far@example.com", login=("dora", LOGIN[1])), "alice")
    assert site.rcpt("nobody@example.org") in REFUSED
    assert site.rcpt("far@example.com") in REFUSED


# service, facts, listener, rules, and what asks for it
FAILING = [
    ("alias", {"x@example.org": ["alice"]}, "",
     ["action to maildir virtual <t> userbase <accounts>", "match from any for any action to"], {}),
    ("userinfo", {"x": (VMAIL, VMAIL, "/var/vmail/alice")}, "",
     ["action to maildir userbase <t>", "match from any for any action to"], {}),
    ("domain", ["example.org"], "", ["match from any for domain <t> action deliver"], {}),
    ("mailaddr", ["s@example.org"], "", ["match from any mail-from <t> for any action deliver"], {}),
    ("netaddr", ["127.0.0.1"], "", ["match from src <t> for any action deliver"], {}),
    ("string", ["inside"], "tag inside", ["match from any tag <t> for any action deliver"], {}),
    ("regex", ["%.org"], "", ["match from any for domain regex <t> action deliver"], {}),
    ("credentials", {"alice": HASH}, f"{TLS} auth <t>", [ANY], {"login": LOGIN}),
    ("mailaddrmap", {"alice": ["s@example.org"]}, f"{TLS} auth <logins> senders <t>",
     [LOGINS, ANY], {"login": LOGIN}),
]


@pytest.mark.outage
@pytest.mark.serves(*(case[0] for case in FAILING))
@pytest.mark.parametrize("service, facts, listen, rules, client", FAILING,
                         ids=[case[0] for case in FAILING])
def test_failing_look_up_is_temporary(site, service, facts, listen, rules, client):
    """No mail bounces because a directory is away for a while."""
    site.start(*rules, listen=listen, **{service: facts})

    def code():
        return site.rcpt("x@example.org", sender="s@example.org", **client)

    assert code() in TAKEN
    with site.backend.outage():
        assert code() in LATER
    assert code() in TAKEN
