"""Programs on the classic interface as they were written before there was a core."""

import pytest

from harness import CLASSIC
from raw import SERVICES, Table


@pytest.fixture(params=["line", "imsg"])
def table(request):
    with Table(CLASSIC, "", request.param) as t:
        yield t


def test_all_services_but_auth(table):
    if table.wire == "line":
        assert table.services == SERVICES[:-1]
    assert table.check("auth", "bob:secret") == "error"


def test_answers(table):
    assert table.lookup("alias", "key") == ("found", "t key")
    assert table.check("domain", "yes") == "found"
    assert table.check("domain", "no") == "not-found"
    assert table.check("domain", "fail") == "error"
    assert table.fetch("source")[0] == "error"


@pytest.mark.parametrize("key", ["empty", "unended", "odd"])
def test_what_smtpd_could_not_take(table, key):
    """An empty value is none; one without an end has as much as there was room for."""
    word, value = table.lookup("alias", key)
    assert (word, value) == ("found", 2047 * "x") if key == "unended" else word == "error"
    assert table.lookup("alias", "key") == ("found", "t key")


def test_update(table):
    assert table.update() and table.update()
    assert not table.update()
    assert table.lookup("alias", "key") == ("found", "t key")
