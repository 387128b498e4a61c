import os
import ssl

import pytest

from backends import BACKENDS
from mailsite import CERTIFICATE, KEY, MailSite
from trees import VERSIONS, prepared


def pytest_generate_tests(metafunc):
    """Each test runs with every smtpd, and every backend that can serve it."""
    marks = {mark.name: mark.args for mark in metafunc.definition.iter_markers()}
    if "tree" in metafunc.fixturenames:
        since, = marks.get("since", [""])
        versions = [version for version in VERSIONS if version.smtpd >= since]
        metafunc.parametrize("tree", versions, ids=lambda version: version.smtpd,
                             indirect=True, scope="session")
    if "site" in metafunc.fixturenames:
        able = [backend for backend in BACKENDS if set(marks["serves"]) <= backend.serves
                and (backend.can_fail or "outage" not in marks)]
        metafunc.parametrize("backend", able, ids=lambda backend: backend.name)


@pytest.fixture(scope="session")
def tree(request):
    """A Debian tree with this smtpd and our programs, for this run alone."""
    if os.getuid() != 0:
        pytest.skip("a tree with a real smtpd needs root")
    tree = prepared(request.param)
    make_certificate(tree)
    return tree


def make_certificate(tree):
    if tree.inside(KEY).exists():
        return
    tree.inside(CERTIFICATE).parent.mkdir(exist_ok=True)
    tree.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
             "-subj", "/CN=mail.example.test", "-keyout", KEY, "-out", CERTIFICATE)
    tree.inside(KEY).chmod(0o600)


@pytest.fixture
def server_tls(tree):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tree.inside(CERTIFICATE), tree.inside(KEY))
    return context


@pytest.fixture
def site(tree, backend):
    """Whatever a test does to smtpd: it lives on until the end."""
    site = MailSite(tree, backend)
    yield site
    survived = site.process is None or site.alive()
    site.kill()
    if site.log.exists():
        print(site.log.read_text())
    assert survived, "smtpd ended in the course of the test"
