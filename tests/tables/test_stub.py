"""table-stub, on the classic interface."""


def test_the_four_functions(start, tmp_path):
    t = start("table-stub", tmp_path)
    assert t.wire == "imsg" or t.services == ["alias", "domain", "source"]
    assert t.check("domain", "stub.example") == "found"
    assert t.check("domain", "other.example") == "not-found"
    assert t.check("alias", "postmaster") == "error"
    assert t.lookup("alias", "postmaster") == ("found", "root@stub.example")
    assert t.lookup("alias", "other") == ("not-found", None)
    assert t.lookup("domain", "stub.example")[0] == "error"
    assert [t.fetch("source") for _ in range(2)] == 2 * [("found", "127.0.0.1")]
    assert t.update()
    assert t.lookup("credentials", "postmaster")[0] == "error"


def test_a_thousand_in_flight(start, tmp_path):
    t = start("table-stub", tmp_path)
    t.send(b"".join(t.sent("lookup", "alias", "postmaster", f"{i:08x}") for i in range(1000)))
    assert [t.answer() for _ in range(1000)] == 1000 * [("found", "root@stub.example")]


def test_what_it_does_not_register(start, tmp_path):
    t = start("table-stub", tmp_path)
    for service in "credentials netaddr userinfo mailaddr addrname mailaddrmap relayhost string regex auth".split():
        assert t.check(service, "key") == "error"
        assert t.lookup(service, "key")[0] == "error"
    for service in ["alias", "domain", "relayhost"]:
        assert t.fetch(service)[0] == "error"
    assert t.lookup("alias", "postmaster") == ("found", "root@stub.example")


def test_odd_keys(start, tmp_path):
    t = start("table-stub", tmp_path)
    for key in ["", "x" * 1023, "a|b", "%s%n", "\xff\xfe", "postmaster "]:
        assert t.lookup("alias", key) == ("not-found", None)


def test_updates_and_the_end(start, tmp_path):
    t = start("table-stub", tmp_path)
    t.hangup()
    for _ in range(20):
        assert t.update()
    assert t.end() == 0
