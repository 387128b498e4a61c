"""What a relay asks: auth <t>, src <t>, helo-src <t>, host <t>, domain <t>."""

import json
import re

import pytest

from harness import wait_until
from sink import Sink

RULE = "match from any for any action out"
RECIPIENT = "far@example.com"


def relay(site, sink, options, recipient=RECIPIENT, **facts):
    """Sends one message; the sink's session that brought it."""
    site.start(f"action out relay {options}", RULE, **facts)
    token = site.send(recipient)
    return wait_until(lambda: sink.delivering(token), "the relayed message")


@pytest.fixture
def sink():
    with Sink() as sink:
        yield sink


@pytest.fixture
def careful_sink(server_tls):
    """One that takes no mail without AUTH."""
    with Sink(server_tls, {"relay-user": "relay-secret"}) as sink:
        yield sink


@pytest.mark.serves("credentials")
def test_auth(site, careful_sink):
    session = relay(
        site, careful_sink,
        f'host "smtp+tls://relay-user@127.0.0.1:{careful_sink.port}" tls no-verify auth <t>',
        credentials={"relay-user": "relay-secret"})
    assert session.login == "relay-user"


@pytest.mark.serves("credentials")
@pytest.mark.parametrize("credentials, trace", [
    ({"relay-user": "wrong"}, "AUTH rejected"),
    ({"other": "relay-secret"}, "credentials not found for t:relay-user"),
])
def test_auth_refused(site, careful_sink, credentials, trace):
    site.start(f'action out relay host "smtp+tls://relay-user@127.0.0.1:{careful_sink.port}"'
               " tls no-verify auth <t>", RULE, credentials=credentials)
    token = site.send(RECIPIENT)
    wait_until(lambda: site.logged(trace), trace)
    assert careful_sink.delivering(token) is None


@pytest.mark.serves("source")
def test_source(site, sink):
    session = relay(site, sink, f'host "smtp+notls://127.0.0.1:{sink.port}" src <t>',
                    source=["127.0.0.2", "127.0.0.3"])
    assert session.peer in ("127.0.0.2", "127.0.0.3")


@pytest.mark.serves("source")
def test_no_source(site, sink):
    site.start(f'action out relay host "smtp+notls://127.0.0.1:{sink.port}" src <t>', RULE, source=[])
    site.send(RECIPIENT)
    wait_until(lambda: site.logged("(?i)source"), "a word on the missing source")
    assert not sink.sessions


@pytest.mark.serves("addrname")
def test_helo_source(site, sink):
    session = relay(site, sink, f'host "smtp+notls://127.0.0.1:{sink.port}" src 127.0.0.3 helo-src <t>',
                    addrname={"127.0.0.3": "out3.example.org"})
    assert (session.peer, session.helo) == ("127.0.0.3", "out3.example.org")


@pytest.mark.serves("relayhosts")
def test_relay_host(site, sink):
    relay(site, sink, "host <t>", relayhosts=[f"smtp+notls://127.0.0.1:{sink.port}"])


@pytest.mark.serves("relayhost")
def test_relay_domain(site, sink):
    with Sink() as other:
        relay(site, sink, "domain <t>", relayhost={
            "example.com": f"smtp+notls://127.0.0.1:{sink.port}",
            "example.net": f"smtp+notls://127.0.0.1:{other.port}"})
        token = site.send("far@example.net")
        wait_until(lambda: other.delivering(token), "the message of the other domain")


@pytest.mark.serves("relayhost")
def test_relay_of_an_unknown_domain(site, sink):
    site.start("action out relay domain <t>", RULE,
               relayhost={"example.net": f"smtp+notls://127.0.0.1:{sink.port}"})
    site.send(RECIPIENT)
    wait_until(lambda: site.logged("Failed to retrieve smarthost"), "a word on the missing host")
    assert not sink.sessions


# where to relay to, and the facts that this asks for
URL = "smtp+notls://127.0.0.1:{port}"
FAILING = [
    (f"host {URL} src <t>", "source", ["127.0.0.2"]),
    ("host <t>", "relayhosts", [URL]),
    ("domain <t>", "relayhost", {"example.com": URL}),
    ("host smtp+tls://relay-user@127.0.0.1:{port} tls no-verify auth <t>",
     "credentials", {"relay-user": "relay-secret"}),
]


@pytest.mark.outage
@pytest.mark.serves(*(service for _, service, _ in FAILING))
@pytest.mark.parametrize("options, service, facts", FAILING, ids=[case[1] for case in FAILING])
def test_failing_look_up_keeps_the_message(site, request, options, service, facts):
    """It waits in the queue, for as long as the directory is away."""
    sink = request.getfixturevalue("careful_sink" if service == "credentials" else "sink")
    facts = json.loads(json.dumps(facts).replace("{port}", str(sink.port)))
    site.start(f"action out relay {options.format(port=sink.port)}", RULE, **{service: facts})
    with site.backend.outage():
        token = site.send(RECIPIENT)
        wait_until(lambda: re.search(r"\|pending\|.*\|.*(route|retrieve|cred)", site.queue()),
                   "a second try to come")
        assert sink.delivering(token) is None
    wait_until(lambda: site.schedule() and sink.delivering(token), "the relayed message")
