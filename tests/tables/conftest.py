"""Both wires before each table; all that was started is ended."""

import pytest

from harness import program
from raw import Table


@pytest.fixture(params=["line", "imsg"])
def wire(request):
    return request.param


@pytest.fixture
def start(wire):
    running = []

    def begin(name, arg, **kwargs):
        table = Table(program(name), str(arg), wire, **kwargs)
        running.append(table)
        return table

    yield begin
    for table in running:
        table.__exit__()
