"""
The table programs under test.  A backend stores mail facts, which are the same
for each, and writes the configuration that serves them.

Facts, by service:
    alias        {address: [recipient, ...]}
    credentials  {login: hash}
    userinfo     {user: (uid, gid, home)}
    addrname     {address: name}
    mailaddrmap  {login: [address, ...]}
    auth         {login: password}
    relayhost    {domain: url}
    relayhosts   [url, ...]         what a fetch of relayhost turns through
    source       [address, ...]
    regex        [pattern, ...]     in the manner of SQL's LIKE
    domain, netaddr, mailaddr, string   [text, ...]
"""

import contextlib
import os
import sqlite3

LISTS = {"domain", "netaddr", "mailaddr", "string", "regex", "source", "relayhosts"}
MAPS = {"credentials", "addrname", "auth", "relayhost"}
MULTIMAPS = {"alias", "mailaddrmap"}


def rows(service, facts):
    """The facts of one service as rows of texts and numbers."""
    if service in LISTS:
        return [(text,) for text in facts]
    if service in MAPS:
        return list(facts.items())
    if service in MULTIMAPS:
        return [(key, value) for key, values in facts.items() for value in values]
    return [(user, *info) for user, info in facts.items()]


class Backend:
    """
    Holds the facts in a folder of the tree.  `serves` names its services;
    `can_fail` says that outage() makes its look-ups fail.
    """

    can_fail = False

    def __init__(self, tree, folder):
        self.tree = tree
        self.folder = folder
        tree.inside(folder).mkdir(parents=True, exist_ok=True)

    def load(self, facts):
        """Replaces all facts; a running table may be reading the old ones."""
        raise NotImplementedError

    def table(self):
        """TYPE:ARG, as it stands in smtpd.conf."""
        raise NotImplementedError

    def spoil(self):
        """Makes what an update reads unusable."""
        raise NotImplementedError

    def outage(self):
        """A context in which each look-up fails for now."""
        raise NotImplementedError

    def write(self, name, text):
        """Replaces a file in one step."""
        path = self.tree.inside(self.folder) / name
        new = path.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o644)
        os.replace(new, path)


class Sqlite(Backend):
    name = "sqlite"
    serves = LISTS | MAPS | MULTIMAPS | {"userinfo"}
    can_fail = True

    SCHEMA = {
        "alias": "address TEXT, recipient TEXT",
        "mailaddrmap": "login TEXT, address TEXT",
        "credentials": "login TEXT PRIMARY KEY, hash TEXT",
        "auth": "login TEXT PRIMARY KEY, password TEXT",
        "userinfo": "name TEXT PRIMARY KEY, uid INTEGER, gid INTEGER, home TEXT",
        "addrname": "address TEXT PRIMARY KEY, name TEXT",
        "relayhost": "domain TEXT PRIMARY KEY, url TEXT",
    } | {name: "item TEXT PRIMARY KEY" for name in LISTS}

    DIRECTIVES = {
        "alias": "query_alias SELECT recipient FROM alias WHERE address = ?",
        "mailaddrmap": "query_mailaddrmap SELECT address FROM mailaddrmap WHERE login = ?",
        "credentials": "query_credentials SELECT login, hash FROM credentials WHERE login = ?",
        "auth": "query_auth SELECT 1 FROM auth"
                " WHERE login = %{login} AND password = %{password}",
        "userinfo": "query_userinfo SELECT uid, gid, home FROM userinfo WHERE name = ?",
        "addrname": "query_addrname SELECT name FROM addrname WHERE address = ?",
        "relayhost": "query_relayhost SELECT url FROM relayhost WHERE domain = ?",
        "relayhosts": "fetch_relayhost SELECT item FROM relayhosts",
        "source": "fetch_source SELECT item FROM source",
        "regex": "query_regex SELECT 1 FROM regex WHERE ? LIKE item",
        "domain": "query_domain SELECT item FROM domain WHERE item = ?",
        "netaddr": "query_netaddr SELECT item FROM netaddr WHERE item = ?",
        "mailaddr": "query_mailaddr SELECT item FROM mailaddr WHERE item = ?",
        "string": "query_string SELECT item FROM string WHERE item = ?",
    }

    def table(self):
        return f"sqlite:{self.folder}/sqlite.conf"

    def load(self, facts):
        new = self.tree.inside(self.folder) / "mail.new"
        new.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(new)) as db:
            for service, columns in self.SCHEMA.items():
                db.execute(f"CREATE TABLE {service} ({columns})")
            for service, of_service in facts.items():
                for row in rows(service, of_service):
                    db.execute(f"INSERT INTO {service} VALUES ({', '.join('?' * len(row))})", row)
            db.commit()
        new.chmod(0o644)
        os.replace(new, self.database)
        lines = [f"dbpath {self.folder}/mail.sqlite", *(self.DIRECTIVES[s] for s in facts)]
        self.write("sqlite.conf", "\n".join(lines) + "\n")

    def spoil(self):
        self.write("sqlite.conf", "dbpath\nno such directive\n")

    @contextlib.contextmanager
    def outage(self):
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            yield
            db.execute("ROLLBACK")

    @property
    def database(self):
        return self.tree.inside(self.folder) / "mail.sqlite"


class Passwd(Backend):
    name = "passwd"
    serves = {"credentials", "userinfo", "string", "mailaddr"}

    def table(self):
        return f"passwd:{self.folder}/passwd"

    def load(self, facts):
        logins = {login: None for service in facts for login in facts[service]}
        self.write("passwd", "".join(self.line(facts, login) + "\n" for login in logins))

    @staticmethod
    def line(facts, login):
        password = facts.get("credentials", {}).get(login, "*")
        if login not in facts.get("userinfo", {}):
            return f"{login}:{password}"
        uid, gid, home = facts["userinfo"][login]
        return f"{login}:{password}:{uid}:{gid}::{home}:/usr/sbin/nologin"

    def spoil(self):
        (self.tree.inside(self.folder) / "passwd").unlink()


BACKENDS = [Sqlite, Passwd]
