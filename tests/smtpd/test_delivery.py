"""Who gets the mail: virtual <t>, alias <t>, userbase <t>."""

import pytest

from mailsite import REFUSED, TAKEN

ANY = "match from any for any action to"
VIRTUAL = ["action to maildir virtual <t> userbase <accounts>", ANY]
ALIAS = ["action to maildir alias <t> userbase <accounts>", ANY]
USERBASE = ["action to maildir userbase <t>", ANY]


@pytest.mark.serves("alias")
@pytest.mark.parametrize("recipient, user", [
    ("info@example.org", "alice"),          # the address as it stands
    ("INFO@Example.ORG", "alice"),
    ("info+news@example.org", "alice"),     # with its tag, then without
    ("info+shop@example.org", "bob"),
    ("postmaster@example.org", "bob"),      # a user of every domain
    ("whoever@example.net", "carol"),       # all of a domain
    ("whoever+tag@example.net", "carol"),
    ("info@example.net", "carol"),
])
def test_virtual(site, recipient, user):
    site.start(*VIRTUAL, alias={
        "info@example.org": ["alice"],
        "info+shop@example.org": ["bob"],
        "postmaster": ["bob"],
        "@example.net": ["carol"]})
    site.delivered(site.send(recipient), user)


@pytest.mark.serves("alias")
def test_virtual_refuses_the_unknown(site):
    site.start(*VIRTUAL, alias={"info@example.org": ["alice"], "gone@example.org": ["nobody"]})
    assert site.rcpt("info@example.org") in TAKEN
    assert site.rcpt("nofo@example.org") in REFUSED
    assert site.rcpt("info@example.com") in REFUSED
    assert site.rcpt("gone@example.org") in REFUSED     # an alias of no user


@pytest.mark.serves("alias")
def test_virtual_with_many_recipients(site):
    site.start(*VIRTUAL, alias={
        "all@example.org": ["alice", "team@example.org"],
        "team@example.org": ["bob", "carol"]})
    token = site.send("all@example.org")
    for user in ("alice", "bob", "carol"):
        site.delivered(token, user)


@pytest.mark.serves("alias")
def test_virtual_catch_all_of_everything(site):
    site.start(*VIRTUAL, alias={"@": ["carol"], "info@example.org": ["alice"]})
    site.delivered(site.send("info@example.org"), "alice")
    site.delivered(site.send("some@where.example"), "carol")


@pytest.mark.serves("alias")
def test_alias(site):
    site.start(*ALIAS, alias={"root": ["alice"], "staff": ["bob", "root"]})
    site.delivered(site.send("root@example.org"), "alice")
    site.delivered(site.send("root+tag@example.org"), "alice")
    site.delivered(site.send("carol@example.org"), "carol")     # a user, no alias
    token = site.send("staff@example.org")
    site.delivered(token, "bob")
    site.delivered(token, "alice")
    assert site.rcpt("nobody@example.org") in REFUSED


@pytest.mark.serves("userinfo")
def test_userbase(site):
    home = site.home("dora", 5001, 5002)
    site.start(*USERBASE, userinfo={"dora": (5001, 5002, home)})
    for recipient in ("dora@example.org", "dora+tag@example.org", "DORA@example.org"):
        owner = site.delivered(site.send(recipient), "dora").stat()
        assert (owner.st_uid, owner.st_gid) == (5001, 5002)


@pytest.mark.serves("userinfo")
def test_userbase_refuses_the_unknown(site):
    site.start(*USERBASE, userinfo={"dora": (5001, 5002, site.home("dora", 5001, 5002))})
    assert site.rcpt("dora@example.org") in TAKEN
    assert site.rcpt("alice@example.org") in REFUSED
