"""A running smtpd in a tree, with one table <t> of the backend under test."""

import contextlib
import itertools
import os
import re
import shutil
import signal
import smtplib
import ssl
import string
import subprocess

from harness import free_port, wait_until

CONF = "/etc/test/smtpd.conf"
FOLDER = "/etc/test"
HOMES = "/var/vmail"
CERTIFICATE = "/etc/test-tls/cert.pem"
KEY = "/etc/test-tls/key.pem"
VMAIL = 5000
# What a reply to a client means.
TAKEN = range(200, 300)
LATER = range(400, 500)
REFUSED = range(500, 600)
LOGIN = ("alice", "secret")
HASH = (  # of that password
    "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1")

USERS = ["alice", "bob", "carol"]
ACCOUNTS = ", ".join(f'{user} = "{VMAIL}:{VMAIL}:{HOMES}/{user}"' for user in USERS)

CONFIGURATION = string.Template("""
pki test cert "$cert"
pki test key "$key"
table everyone { "@" = "alice" }
table accounts { $accounts }
table t $table
action deliver maildir virtual <everyone> userbase <accounts>
$rules
listen on 127.0.0.1 port $port $listen
""")

tokens = (f"token-{os.getpid()}-{n}" for n in itertools.count(1))


class MailSite:
    def __init__(self, tree, backend):
        self.tree = tree
        self.log = tree.inside("/var/log/smtpd-test.log")
        self.process = None
        self.clean()
        self.backend = backend(tree, FOLDER)
        self.port = free_port()

    def clean(self):
        for path in (FOLDER, HOMES, "/var/spool/smtpd"):
            shutil.rmtree(self.tree.inside(path), ignore_errors=True)
        self.log.unlink(missing_ok=True)
        for user in USERS:
            self.home(user)

    # What is there before a client comes.

    def home(self, user, uid=VMAIL, gid=VMAIL):
        """A home folder, as a user of the table has it."""
        path = self.tree.inside(HOMES) / user
        path.mkdir(parents=True)
        os.chown(path, uid, gid)
        return f"{HOMES}/{user}"

    def configure(self, *rules, listen="", **facts):
        """Stores the facts and writes a configuration that smtpd likes."""
        self.backend.load(facts)
        conf = self.tree.inside(CONF)
        conf.write_text(CONFIGURATION.substitute(
            cert=CERTIFICATE, key=KEY, accounts=ACCOUNTS, table=self.backend.table(),
            rules="\n".join(rules), port=self.port, listen=listen))
        conf.chmod(0o600)
        self.tree.run("smtpd", "-n", "-f", CONF)

    def start(self, *rules, **options):
        self.configure(*rules, **options)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["chroot", self.tree.path, "env", f"LD_PRELOAD={self.tree.version.preload}",
                 "/usr/sbin/smtpd", "-d", "-f", CONF],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(self.answers, "a greeting of smtpd")

    def answers(self):
        assert self.alive(), f"smtpd did not start:\n{self.log.read_text()}"
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtplib.SMTP("127.0.0.1", self.port, timeout=30).quit()
            return True

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it in good order, with all that it started."""
        self.process.terminate()
        self.process.wait(20)
        wait_until(self.gone, "the end of all that smtpd started")

    def kill(self):
        """Ends it at once, with all that it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def gone(self):
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    # What a client sees.

    def connect(self, login=None, method="PLAIN", port=None,
                source="127.0.0.1", helo="client.example.test"):
        """A session, logged in if login is (name, password)."""
        server = "::1" if ":" in source else "127.0.0.1"
        session = smtplib.SMTP(server, port or self.port, helo, timeout=60,
                               source_address=(source, 0))
        session.ehlo()
        if login:
            session.starttls(context=unverified())
            session.ehlo()
            session.user, session.password = login
            session.auth(method, getattr(session, f"auth_{method.lower()}"))
        return session

    def rcpt(self, recipient, sender="sender@example.test", **client):
        """The code of the first reply that refuses, or of that to RCPT."""
        try:
            with self.connect(**client) as session:
                code, _ = session.mail(sender)
                return session.rcpt(recipient)[0] if code == 250 else code
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code

    def send(self, recipient, sender="sender@example.test", **client):
        """Sends a message; the token by which it is known again."""
        token = next(tokens)
        with self.connect(**client) as session:
            session.sendmail(sender, [recipient], f"Subject: {token}\r\n\r\nhello\r\n")
        return token

    def enqueue(self, recipient):
        """Sends a message as a local user does; its token."""
        token = next(tokens)
        subprocess.run(
            ["chroot", self.tree.path, "/usr/sbin/sendmail", "-f", "root@example.test", recipient],
            input=f"Subject: {token}\n\nhello\n", text=True, timeout=60, check=True)
        return token

    def banner(self, source="127.0.0.1"):
        """The first reply: its code and its text."""
        session = smtplib.SMTP(timeout=60, source_address=(source, 0))
        code, text = session.connect("127.0.0.1", self.port)
        session.close()
        return code, text.decode()

    def login(self, name, password, method="PLAIN"):
        """The code of the reply to AUTH."""
        try:
            with self.connect(login=(name, password), method=method):
                return 235
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code

    def delivered(self, token, user="alice", folder="Maildir"):
        """The file of a message, once it is in the user's maildir."""
        def find():
            new = self.tree.inside(HOMES) / user / folder / "new"
            return next((f for f in new.glob("*") if token in f.read_text()), None)
        return wait_until(find, f"delivery of {token} to {user}")

    def update(self):
        """Whether smtpctl says that table t was updated."""
        done = subprocess.run(["chroot", self.tree.path, "smtpctl", "update", "table", "t"],
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        return done.returncode == 0

    def queue(self):
        """What waits to be sent: a line for each recipient, fields split by |."""
        return self.tree.run("smtpctl", "show", "queue")

    def schedule(self):
        """Has all that waits tried again now."""
        return self.tree.run("smtpctl", "schedule", "all")

    def logged(self, pattern):
        return re.search(pattern, self.log.read_text())


def unverified():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
