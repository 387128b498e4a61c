"""An SMTP server that takes everything and remembers it: where relays end."""

import base64
import socketserver
import ssl
import threading
from dataclasses import dataclass, field


@dataclass
class Session:
    """What one client said."""

    peer: str
    helo: str = ""
    login: str = ""
    messages: list = field(default_factory=list)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.session = Session(self.client_address[0])
        self.server.sink.sessions.append(self.session)
        self.reply("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            getattr(self, f"do_{verb.lower()}", self.ok)(rest)
            if verb.upper() == "QUIT":
                break

    def reply(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def ok(self, _rest):
        self.reply("250 ok")

    def do_ehlo(self, name):
        self.session.helo = name
        extensions = ["sink"]
        if self.server.sink.tls:
            secure = isinstance(self.request, ssl.SSLSocket)
            extensions.append("AUTH PLAIN" if secure else "STARTTLS")
        for extension in extensions[:-1]:
            self.reply(f"250-{extension}")
        self.reply(f"250 {extensions[-1]}")

    def do_starttls(self, _rest):
        self.reply("220 go ahead")
        self.request = self.server.sink.tls.wrap_socket(self.request, server_side=True)
        self.setup()

    def do_auth(self, rest):
        _, login, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        if self.server.sink.accounts.get(login) == password:
            self.session.login = login
            self.reply("235 welcome")
        else:
            self.reply("535 no")

    def do_mail(self, _rest):
        wanted = self.server.sink.accounts and not self.session.login
        self.reply("530 authenticate first" if wanted else "250 ok")

    def do_data(self, _rest):
        self.reply("354 go ahead")
        lines = iter(self.rfile.readline, b".\r\n")
        self.session.messages.append(b"".join(lines).decode())
        self.reply("250 taken")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class Sink:
    """`with Sink() as sink`; accounts {login: password} makes it ask for AUTH."""

    def __init__(self, tls=None, accounts=None):
        self.tls = tls
        self.accounts = accounts or {}
        self.sessions = []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.sink = self
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def delivering(self, token):
        """The session that brought the message with this token, or None."""
        for session in self.sessions:
            if any(token in message for message in session.messages):
                return session
        return None
