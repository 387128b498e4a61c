"""
What the documents say is true: each sample is run, each directive, variable,
service, file and function that they name is there, and none is left out.

A sample is a literal block, marked by the line before it, `.\\" test: KIND` in a
manual or `<!-- test: KIND -->` in Markdown:

    sql FILE         statements that make a database
    conf FILE        a configuration of table-sqlite; -n must like it
    directives FILE  a part of one, on the manual's database; `ask:' lines below
                     the mark say what it answers, `sql:' lines add data
    passwd FILE      a file for table-passwd; -n must like it
    session          commands behind `$', and what they print
    smtpd            a smtpd.conf that every version must like
    install, outside, inside
                     README's ways to build; test_readme_* run them
    files            commands that are files of this tree
    none, WHY        what no test can run
"""

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import SOURCE, program
from trees import PACKAGES, VERSIONS, prepared

MANUALS = {path.stem: path for path in [
    SOURCE / "api/table-backend.7",
    SOURCE / "extras/tables/table-sqlite/table-sqlite.5",
    SOURCE / "extras/tables/table-passwd/table-passwd.5",
]}
README = SOURCE / "README.md"
DOCUMENTS = [*MANUALS.values(), README]
KINDS = {"sql", "conf", "directives", "passwd", "session", "smtpd",
         "install", "outside", "inside", "files", "none"}
ETC, LIBEXEC = "/etc/mail", "/usr/libexec/opensmtpd"


# Samples

@dataclass
class Sample:
    document: Path
    line: int
    kind: str
    name: str = ""
    text: str = ""
    notes: list = field(default_factory=list)       # (word, rest)

    def __str__(self):
        return f"{self.document.name}:{self.line}:{self.kind}"


def samples_of(path):
    """Its literal blocks; one without a mark has no kind."""
    markdown = path.suffix == ".md"
    begin = r"```\S*" if markdown else r"\.Bd -literal.*"
    end = "```" if markdown else ".Ed"
    note = r"<!-- (\w+): (.*) -->" if markdown else r"\.\\\" (\w+): (.*)"
    found, notes, block = [], [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if block is not None:
            if line == end:
                block = None
            else:
                block.text += (line if markdown else plain(line)) + "\n"
        elif match := re.fullmatch(note, line):
            notes.append(match.groups())
        elif re.fullmatch(begin, line):
            mark = next((rest for word, rest in notes if word == "test"), "")
            kind, _, name = mark.partition(" ")
            block = Sample(path, number, kind.rstrip(","), name,
                           notes=[n for n in notes if n[0] != "test"])
            found.append(block)
            notes = []
        else:
            notes = []
    return found


def plain(line):
    """A line of a literal block as mandoc shows it."""
    return line.replace(r"\e", "\\").replace(r"\&", "")


SAMPLES = [sample for path in DOCUMENTS for sample in samples_of(path)]


def of_kind(*kinds):
    chosen = [sample for sample in SAMPLES if sample.kind in kinds]
    return pytest.mark.parametrize("sample", chosen, ids=str)


def the_sample(path, kind):
    sample, = [s for s in SAMPLES if s.document == path and s.kind == kind]
    return sample


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_sample_is_marked(path):
    samples = samples_of(path)
    assert samples, "no sample found"
    assert [f"line {s.line}" for s in samples if s.kind not in KINDS] == []
    assert [f"line {s.line}" for s in samples if s.kind == "none" and not s.name] == []


# Running them

def run(*command, **options):
    """Exit status and all output."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, **options)
    return done.returncode, done.stdout


class Place:
    """A folder in the place of /etc/mail, and one in that of smtpd's programs."""

    def __init__(self, folder):
        self.etc = folder / "mail"
        self.libexec = folder / "libexec"
        self.etc.mkdir()
        self.libexec.mkdir()
        for name in ("table-sqlite", "table-passwd"):
            (self.libexec / name).symlink_to(program(name))

    def here(self, text):
        return text.replace(ETC, str(self.etc)).replace(LIBEXEC, str(self.libexec))

    def write(self, name, text):
        (self.etc / name).write_text(self.here(text))

    def execute(self, name, statements):
        with closing(sqlite3.connect(self.etc / name)) as db:
            db.executescript(statements)

    def take(self, sample):
        if sample.kind == "sql":
            self.execute(sample.name, sample.text)
        elif sample.kind in ("conf", "passwd"):
            self.write(sample.name, sample.text)

    def check(self, backend, name):
        """What -n says of a file, with nothing to complain about."""
        status, said = run(program(backend), "-n", self.etc / name)
        assert (status, said) == (0, f"{self.etc / name}: configuration OK\n")

    def shell(self, command):
        """What a command of a document prints."""
        command = re.sub(r"\btable-query\b",
                         f"{program('table-query')} -L {self.libexec}", self.here(command))
        _, said = run("sh", "-c", command)
        return said.replace(str(self.etc), ETC).replace(str(self.libexec), LIBEXEC)

    def ask(self, name, question):
        """`found VALUE', `found', `not-found' or `error: WHY', without the log."""
        status, said = run(program("table-query"), "-L", self.libexec,
                           f"sqlite:{self.etc / name}", *shlex.split(question))
        said = said.splitlines()[-1]
        if status != 0 or said == "found":
            return said
        return f"found {said}"

    def printed(self, backend, name):
        """What -nn says is in force: {directive: value, or None}."""
        status, said = run(program(backend), "-nn", self.etc / name)
        assert status == 0, said
        lines = [line for line in said.splitlines() if not line.startswith("# services:")]
        return {line.removeprefix("# ").partition(" ")[0]:
                None if line.startswith("# ") else line.partition(" ")[2] for line in lines}


@pytest.fixture
def place(tmp_path):
    """With the files of the manuals' examples."""
    place = Place(tmp_path)
    for path in MANUALS.values():
        for sample in samples_of(path):
            place.take(sample)
    return place


@of_kind("sql", "conf", "passwd")
def test_file(place, sample):
    place.take(sample) if sample.document == README else None
    assert (place.etc / sample.name).stat().st_size > 0
    if sample.kind == "conf":
        place.check("table-sqlite", sample.name)
    elif sample.kind == "passwd":
        place.check("table-passwd", sample.name)


@of_kind("directives")
def test_directives_answer(place, sample):
    for word, statement in sample.notes:
        if word == "sql":
            place.execute("mail.sqlite", statement)
    place.write(sample.name, f"dbpath {ETC}/mail.sqlite\n{sample.text}")
    place.check("table-sqlite", sample.name)
    asked = [rest for word, rest in sample.notes if word == "ask"]
    assert asked, "nothing is asked"
    for line in asked:
        question, relation, due = re.fullmatch(r"(.*) (=~?) (.*)", line).groups()
        answer = place.ask(sample.name, question)
        assert answer == due if relation == "=" else re.match(due, answer), question


@of_kind("session")
def test_session(place, sample):
    shown = ""
    for line in sample.text.splitlines():
        if line.startswith("$ "):
            shown += line + "\n" + place.shell(line[2:])
    assert shown == sample.text


@of_kind("files")
def test_commands_are_files(sample):
    for line in sample.text.splitlines():
        path = SOURCE / line
        assert path.is_file() and os.access(path, os.X_OK), line


# smtpd.conf

FOLDER = "/etc/test-documents"
CERTIFICATE, KEY = f"{FOLDER}/cert.pem", f"{FOLDER}/key.pem"


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: version.smtpd)
def tree(request):
    """A tree with this smtpd and our programs: `smtpd -n' looks whether they are there."""
    if os.getuid() != 0:
        pytest.skip("a tree with a real smtpd needs root")
    tree = prepared(request.param)
    shutil.rmtree(tree.inside(FOLDER), ignore_errors=True)
    tree.inside(FOLDER).mkdir()
    tree.inside(f"{FOLDER}/aliases").write_text("root: alice\n")
    tree.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
             "-subj", "/CN=mail.example.org", "-keyout", KEY, "-out", CERTIFICATE)
    tree.inside(KEY).chmod(0o600)
    yield tree
    shutil.rmtree(tree.inside(FOLDER))


def run_long(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=1800, **options)
    return done.returncode, done.stdout


@of_kind("smtpd")
def test_smtpd_likes_it(tree, sample):
    text = sample.text.replace(ETC, FOLDER)
    text = re.sub(r'"/etc/ssl/private/[^"]*"', f'"{KEY}"', text)
    text = re.sub(r'"/etc/ssl/[^"]*"', f'"{CERTIFICATE}"', text)
    conf = tree.inside(f"{FOLDER}/smtpd.conf")
    conf.write_text(text)
    conf.chmod(0o600)
    assert "configuration OK" in tree.run("smtpd", "-n", "-f", f"{FOLDER}/smtpd.conf")


# Directives

def documented(path):
    """{directive: default, or None} and {directive: text} of a manual."""
    defaults, texts, names = {}, {}, []
    previous, below = "", False
    for line in path.read_text().splitlines():
        if match := re.match(r"\.It Ic ([a-z]+_?\w*)( |$)", line):
            assert match[1] not in defaults, f"{match[1]} is documented twice"
            names = [*names, match[1]] if previous.startswith(".It Ic ") else [match[1]]
            defaults[match[1]], texts[match[1]] = None, ""
        elif re.match(r"\.(It|El|Sh|Ss)\b", line):
            names = []
        for name in names:
            texts[name] += " " + re.sub(r"^\.(It )?\w+ ", "", line)
        if below and (match := re.match(r"\.Li (\S+) \.", line)):
            for name in names:
                defaults[name] = match[1]
        below = line == "The default is"
        previous = line
    return defaults, texts


def in_force(place):
    """The directives of table-sqlite, without the values of one configuration."""
    place.write("minimal.conf", f"dbpath {ETC}/mail.sqlite\nquery_domain SELECT 1\n")
    return place.printed("table-sqlite", "minimal.conf") | {"dbpath": None, "query_domain": None}


def common(directives):
    """Those of every table: they stand before the backend's own."""
    names = list(directives)
    return {name: directives[name] for name in names[:names.index("dbpath")]}


def test_directives_of_table_sqlite(place):
    assert documented(MANUALS["table-sqlite"])[0] == in_force(place)


def test_directives_of_all_tables(place):
    assert documented(MANUALS["table-backend"])[0] == common(in_force(place))


def test_table_passwd_has_no_directives(place):
    assert place.printed("table-passwd", "passwd") == {}
    text = MANUALS["table-passwd"].read_text()
    assert ".Ss Directives\nThere are none." in text
    for name, default in common(in_force(place)).items():
        if name in ("timeout", "check_interval"):
            assert default in ("5s", "1s"), "table-passwd(5) states another default"
        if name == "cache_ttl":
            assert default == "0s", "table-passwd(5) says that nothing is cached"


def bounds():
    """(directive, largest value, one that is too large) where a manual has them."""
    for name in ("table-backend", "table-sqlite"):
        for directive, text in documented(MANUALS[name])[1].items():
            for most in re.findall(r"(?:up to|\bto) (\d+[a-z]*)\b", text):
                number, unit = re.fullmatch(r"(\d+)([a-z]*)", most).groups()
                yield pytest.param(directive, most, f"{int(number) + 1}{unit}",
                                   id=f"{name}-{directive}")


@pytest.mark.parametrize("directive, most, too_much", bounds())
def test_bounds(place, directive, most, too_much):
    start = f"dbpath {ETC}/mail.sqlite\nquery_domain SELECT 1\n"
    place.write("most.conf", f"{start}{directive} {most}\n")
    place.check("table-sqlite", "most.conf")
    place.write("more.conf", f"{start}{directive} {too_much}\n")
    status, said = run(program("table-sqlite"), "-n", place.etc / "more.conf")
    assert status == 1 and f"more.conf:3: {directive}: must be from" in said


# Sample files

SAMPLE_CONF = SOURCE / "extras/tables/table-sqlite/sqlite.conf"
DIRECTIVE = re.compile(r"^#([a-z]+(?:_[a-z]+)*[\t ].*)$", re.M)
MORE_TABLES = """
CREATE TABLE sources (address TEXT, name TEXT);
CREATE TABLE relays (domain TEXT, url TEXT);
CREATE TABLE logins (login TEXT, password TEXT);
"""


def uncommented():
    """The sample with all directives in force; of two the first one stays."""
    lines, seen, skipping = [], set(), False
    for line in SAMPLE_CONF.read_text().splitlines():
        continued = bool(lines) and lines[-1].endswith("\\")
        name = re.match(r"#?([a-z_]+)[\t ]", line)
        if continued or skipping:
            line = line.removeprefix("#")
        elif name and not line.startswith("# "):
            skipping = name[1] in seen
            seen.add(name[1])
            line = line.removeprefix("#")
        if not skipping:
            lines.append(line)
        skipping = skipping and line.endswith("\\")
    return "\n".join(lines) + "\n", seen


def test_sqlite_conf(place):
    place.write("sample.conf", SAMPLE_CONF.read_text())
    place.check("table-sqlite", "sample.conf")
    assert place.ask("sample.conf", "lookup userinfo alice") == "found 5000:5000:/var/vmail/alice"


def test_sqlite_conf_shows_every_directive(place):
    text, names = uncommented()
    place.execute("mail.sqlite", MORE_TABLES)
    place.write("all.conf", text)
    place.check("table-sqlite", "all.conf")
    assert names == set(in_force(place))
    shown = place.printed("table-sqlite", "all.conf")
    assert {name for name, value in shown.items() if value is None} == set()


def test_sqlite_conf_shows_the_defaults(place):
    shown = dict(re.match(r"(\w+)\s+(.*)", line).groups()
                 for line in DIRECTIVE.findall(SAMPLE_CONF.read_text()))
    defaults = {name: value for name, value in in_force(place).items() if value is not None}
    assert {name: shown.get(name) for name in defaults} == defaults


def test_passwd_sample(place):
    sample = SOURCE / "extras/tables/table-passwd/passwd.sample"
    place.write("sample", sample.read_text())
    place.check("table-passwd", "sample")
    shown = place.shell(f"table-query passwd:{ETC}/sample lookup credentials bob@example.org")
    assert shown.startswith("bob@example.org:$6$")


# Manuals

ALL_MANUALS = sorted(path for path in [*SOURCE.glob("api/*.[1-9]"), *SOURCE.glob("extras/*/*/*.[1-9]")]
                     if path.is_file())


@pytest.mark.parametrize("path", ALL_MANUALS, ids=lambda path: path.name)
def test_lint(path):
    assert shutil.which("mandoc"), "mandoc is missing; on Debian: apt-get install mandoc"
    assert run("mandoc", "-Tlint", "-Wwarning", path) == (0, "")


@pytest.mark.parametrize("path", ALL_MANUALS, ids=lambda path: path.name)
def test_references(path):
    ours = {f"{p.stem} {p.suffix[1:]}" for p in ALL_MANUALS}
    named = {" ".join(match) for match in
             re.findall(r"^\.Xr (table-\S+) (\d)", path.read_text(), re.M)}
    assert named - ours == set()


def names_in(path, pattern):
    found = re.findall(pattern, path.read_text(), re.M)
    assert found, f"{path.name} looks different now"
    return found


VARIABLES = names_in(SOURCE / "api/expand.c", r'^\t\[EXPAND_\w+\] = "(\w+)"')
SERVICES = names_in(SOURCE / "api/service.c", r'^\t\{ "(\w+)",\s+\d')


def test_variables_are_documented():
    general, sqlite = (MANUALS[name].read_text() for name in ("table-backend", "table-sqlite"))
    assert set(re.findall(r"^\.It Cm %\{(\w+)\}$", general, re.M)) == set(VARIABLES)
    assert {name for line in re.findall(r"^\.It Cm .*:\w+.*", sqlite, re.M)
            for name in re.findall(r" :(\w+)", line)} == set(VARIABLES)


@pytest.mark.parametrize("form", ["%{{{}}}", ":{}", "@{}", "${}"])
@pytest.mark.parametrize("name", VARIABLES)
def test_variable(place, name, form):
    place.write("v.conf", f"dbpath {ETC}/mail.sqlite\n"
                f"query_string SELECT 1 WHERE {form.format(name)} IS NULL OR ?1 <> ''\n")
    place.check("table-sqlite", "v.conf")


def test_example_of_variables(place):
    text = MANUALS["table-backend"].read_text()
    service, key, table = re.search(
        r'^\.\\" variables: (\w+) (\S+)\n((?:\.It .*\n)+)', text, re.M).groups()
    rows = re.findall(r"^\.It Cm (\S+) Ta (\S+)$", table, re.M)
    assert len(rows) > 4
    for variable, value in rows:
        place.write("v.conf", f"dbpath {ETC}/mail.sqlite\n"
                    f"query_{service} SELECT ifnull({variable}, 'NULL')\n")
        assert place.ask("v.conf", f"lookup {service} {key}") == f"found {value}"


def test_services_are_documented():
    text = MANUALS["table-backend"].read_text()
    section = re.search(r"^\.Sh SERVICES\n(.*?)^\.Ss", text, re.M | re.S)[1]
    assert re.findall(r"^\.It Cm (\w+)$", section, re.M) == SERVICES
    table = README.read_text().partition("| in smtpd.conf | service |")[2].partition("\n\n")[0]
    assert set(re.findall(r"\| (\w+) \|$", table, re.M)) == set(SERVICES) - {"auth"}


@pytest.mark.parametrize("value, why", [
    ("NULL", "NULL"),
    ("''", "empty"),
    ("'a' || char(10) || 'b'", "line break"),
    ("'a' || char(0) || 'b'", "NUL"),
    ("printf('%2048s', 'a')", "longer"),
])
def test_values_that_are_errors(place, value, why):
    place.write("v.conf", f"dbpath {ETC}/mail.sqlite\nquery_alias SELECT {value} WHERE ? = 'k'\n")
    answer = place.ask("v.conf", "lookup alias k")
    assert answer.startswith("error") and why in answer


def test_count_is_a_row(place):
    """What the manual warns of."""
    place.write("v.conf", f"dbpath {ETC}/mail.sqlite\n"
                "query_domain SELECT count(*) FROM domains WHERE name = ?\n")
    assert place.ask("v.conf", "check domain no.such.example") == "found"
    assert "count(*)" in MANUALS["table-sqlite"].read_text()


def test_names_of_a_passwd_file(place):
    """Those of table-passwd(5): the same to the letter, the case, the last one."""
    place.write("names", "Bob:*:1:1::/upper:\nbOB:*:2:2::/other:\n"
                "eve:*:3:3::/first:\nEve:*:4:4::/upper:\neve:*:5:5::/last:\n")
    for name, line in [("bob", "1:1:/upper"), ("eve", "5:5:/last")]:
        shown = place.shell(f"table-query passwd:{ETC}/names lookup userinfo {name} 2>/dev/null")
        assert shown == f"{line}\n"
    status, said = run(program("table-passwd"), "-n", place.etc / "names")
    assert status == 1 and "names:5:" in said


@pytest.mark.parametrize("word, result", [
    ("{CRYPT}", "ok"), ("{BLF-CRYPT}", "ok"), ("{SHA256-CRYPT}", "ok"),
    ("{SHA512-CRYPT}", "ok"), ("{MD5-CRYPT}", "ok"), ("{DES-CRYPT}", "ok"),
    ("{ARGON2ID}", "error"), ("{PLAIN}", "error")])
def test_schemes_of_a_passwd_file(place, word, result):
    assert word in MANUALS["table-passwd"].read_text()
    place.write("schemes", f"bob:{word}$6$hash\n")
    shown = place.shell(f"table-query passwd:{ETC}/schemes lookup credentials bob")
    if result == "ok":
        assert shown == "bob:$6$hash\n"
    else:
        assert shown.splitlines()[-1].startswith("error: ")


# README.md: building

@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A copy of the sources, in which README's commands may do as they like."""
    folder = tmp_path_factory.mktemp("workshop")
    status, said = run_long(SOURCE / "tests/lib/source", folder / "tree")
    assert status == 0, said
    return folder / "tree"


@pytest.fixture(scope="module")
def installed(workshop):
    """What README's way to install has put into a folder of its own."""
    stage = workshop.parent / "stage"
    text = the_sample(README, "install").text
    packages = re.match(r"apt-get install ((?:.*\\\n)*.*\n)", text)
    assert packages, "README begins with other commands now"
    status, said = run_long("sh", "-ec", text[packages.end():], cwd=workshop,
                            env=os.environ | {"DESTDIR": str(stage), "MAKEFLAGS": "-j2"})
    assert status == 0, said[-4000:]
    return stage


def test_readme_install(installed):
    for path in ["usr/libexec/opensmtpd/table-sqlite", "usr/libexec/opensmtpd/table-passwd",
                 "usr/libexec/opensmtpd/table-stub", "usr/local/bin/table-query",
                 "usr/local/share/man/man5/table-sqlite.5", "usr/local/share/man/man7/table-backend.7",
                 "usr/local/lib/libtableapi.a", "usr/local/include/opensmtpd/table_api.h"]:
        assert (installed / path).is_file(), path


def test_readme_names_the_packages():
    """At least those that a tree needs to build in."""
    named = set(the_sample(README, "install").text.partition("./bootstrap")[0].split())
    wanted = {"pkg-config" if package == "pkgconf" else package for package in PACKAGES}
    assert wanted - named <= {"opensmtpd", "openssl", "libc6-dev"}


def test_readme_outside_the_tree(workshop, installed):
    local = installed / "usr/local"
    environment = os.environ | {
        "PATH": f"{local}/bin:{os.environ['PATH']}",
        "PKG_CONFIG_PATH": f"{local}/lib/pkgconfig"}
    prefix = f"--define-variable=prefix={local}"
    text = the_sample(README, "outside").text.replace("pkg-config ", f"pkg-config {prefix} ")
    status, said = run("sh", "-ec", text, cwd=workshop, env=environment)
    assert (status, said) == (0, "root@stub.example\n")


def test_readme_inside_the_tree(workshop, installed):
    status, said = run_long("sh", "-ec", the_sample(README, "inside").text, cwd=workshop,
                            env=os.environ | {"MAKEFLAGS": "-j2"})
    assert status == 0, said[-4000:]
    assert said.endswith("table-mine 1.0.0\n")
    assert re.search(r"^  table-mine\s+yes", said, re.M), "configure's summary"


# ARCHITECTURE.md

ARCHITECTURE = SOURCE / "ARCHITECTURE.md"


def quoted():
    return re.findall(r"`([^`]+)`", ARCHITECTURE.read_text())


def expanded(name):
    """`wire.[ch]' is two files."""
    return [name.replace("[ch]", c) for c in "ch"] if "[ch]" in name else [name]


def test_architecture_names_files_that_exist():
    files = [path for path in SOURCE.rglob("*") if ".git" not in path.parts]
    known = {path.name for path in files}
    plan = {"link.h", "link.c", "DESIGN.md", "faults", "fuzz"}    # named as missing
    named = [file for name in quoted() if re.fullmatch(r"[\w./-]*[\w\]]\.(\[ch\]|\w+)", name)
             for file in expanded(name)]
    assert len(named) > 40
    assert [file for file in named if Path(file).name not in known | plan] == []
    folders = [name for name in quoted() if re.fullmatch(r"[\w./-]+/", name)]
    assert len(folders) > 8
    assert [name for name in folders if Path(name).name not in known | plan] == []


def test_architecture_names_every_file_of_api():
    named = {file for name in quoted() for file in expanded(name)}
    there = {path.name for path in SOURCE.glob("api/*.[ch]")}
    assert there - named == set()


def test_architecture_names_every_backend():
    there = {f"{path.parent.relative_to(SOURCE)}/" for path in SOURCE.glob("extras/*/*/RELEASE")}
    assert there - set(quoted()) == set()


def test_architecture_names_functions_that_exist():
    code = "\n".join(path.read_text() for path in
                     [*SOURCE.glob("api/*.[ch]"), *SOURCE.glob("extras/tables/*/*.[ch]")])
    named = {name[:-2] for name in quoted() if re.fullmatch(r"\w+\(\)", name)}
    assert len(named) > 30
    known = set(re.findall(r"\b(\w+)\)?\(", code)) | {"main"}
    assert named - known == set()


# ChangeLogs

RELEASES = [SOURCE / "RELEASE", *sorted(SOURCE.glob("extras/tables/*/RELEASE"))]


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.parent.name)
def test_changelog(release):
    text = release.with_name("ChangeLog").read_text()
    assert text.splitlines()[0] == release.read_text().strip()
    first = re.split(r"\n(?=table-\S+ \d|opensmtpd-backends \d)", text)[0]
    groups = re.findall(r"^([A-Z]\w+):$", first, re.M)
    assert groups and groups == [g for g in ("Security", "Fixes", "Changes") if g in groups]
    assert [line for line in text.splitlines() if len(line) > 80] == []
