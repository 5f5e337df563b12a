"""Load a case of the corpus into a server and execute its truth.

A case is a folder: `schema.sql` goes into an empty database `labcase`, a `schema.NAME.sql` beside
it into a database NAME; `truth.json` says who logs in as whom and which steps prove the truth.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

DATABASE = "labcase"
ADMINISTRATOR = "admin"
WRITTEN_PORT = "54915"  # a few cases connect back to their own server and name this port
NOTIFY_SECONDS = 3.0

CREATE_ROLE = re.compile(r"^\s*CREATE\s+(?:ROLE|USER)\s+\"?(\w+)\"?", re.IGNORECASE | re.MULTILINE)

Row = tuple[Any, ...]
Expectation = Mapping[str, Any]
Connection = psycopg.Connection[Row]


class Server(Protocol):
    """A throw-away PostgreSQL server with trust authentication."""

    def url(self, *, database: str = ..., user: str = ...) -> str: ...


@dataclass(frozen=True)
class Step:
    identity: str
    statement: str
    expect: Expectation


@dataclass(frozen=True)
class Case:
    folder: Path
    truth: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def steps(self) -> list[Step]:
        return [Step(s["as"], s["sql"], s["expect"]) for s in self.truth["proof_steps"]]

    @property
    def scripts(self) -> dict[str, str]:
        """The SQL of each database, in the order in which they are loaded."""
        files = {DATABASE: "schema.sql"}
        files |= {d["name"]: f"schema.{d['name']}.sql" for d in self.truth.get("databases", [])}
        return {name: (self.folder / file).read_text() for name, file in files.items()}


@dataclass(frozen=True)
class Outcome:
    """What came back from one statement."""

    rows: Sequence[Row] = ()
    rowcount: int = -1
    sqlstate: str | None = None
    refused: bool = False  # the connection itself was
    notifications: Sequence[str] = field(default_factory=tuple)

    @property
    def text(self) -> str:
        return "\n".join(" | ".join(map(readable, row)) for row in self.rows)

    @property
    def scalar(self) -> object:
        return self.rows[0][0] if self.rows else None


def readable(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_case(folder: Path) -> Case:
    return Case(folder, json.loads((folder / "truth.json").read_text()))


def find_cases(root: Path) -> list[Case]:
    return [read_case(file.parent) for file in sorted(root.glob("*/truth.json"))]


def roles_created(script: str) -> list[str]:
    return CREATE_ROLE.findall(script)


def place(case: Case, identity: str) -> tuple[str, str, list[str]]:
    """The database, the login and the context statements of an identity of the case."""
    who, _, elsewhere = identity.partition("@")
    if who == ADMINISTRATOR:  # the next ordinary change, which a latent leak waits for
        return DATABASE, "", []
    truth = case.truth
    database = elsewhere or DATABASE
    if not elsewhere and truth["model"] == "database" and who in ("A", "B"):
        database = truth["tenants"]["AB".index(who)]
    return database, truth["login"][who], list(truth["context"].get(who, []))


def complaint(expect: Expectation, outcome: Outcome, saved: Mapping[str, object]) -> str | None:
    """Why the outcome is not what was expected, or None when it is."""
    [(kind, wanted)] = expect.items()
    if kind == "connect_error":
        return None if outcome.refused == wanted else f"refused: {outcome.refused}"
    if outcome.refused:
        return "the connection was refused"
    expected_state = wanted if kind == "error" else None
    if outcome.sqlstate != expected_state:
        return f"SQLSTATE was {outcome.sqlstate}"
    if kind == "error" or RIGHT[kind](wanted, outcome, saved):
        return None
    return f"{outcome.rowcount} rows: {outcome.text[:400]!r}, {list(outcome.notifications)!r}"


RIGHT: Mapping[str, Callable[[Any, Outcome, Mapping[str, object]], bool]] = {
    "ok": lambda _, __, ___: True,
    "contains": lambda wanted, outcome, _: wanted in outcome.text,
    "not_contains": lambda wanted, outcome, _: wanted not in outcome.text,
    "scalar": lambda wanted, outcome, _: outcome.scalar == wanted,
    "rowcount": lambda wanted, outcome, _: outcome.rowcount == wanted,
    "save": lambda _, outcome, __: bool(outcome.rows),
    "differs": lambda name, outcome, saved: name in saved and outcome.scalar != saved[name],
    "notify": lambda wanted, outcome, _: any(wanted in p for p in outcome.notifications),
}


def execute(connection: Connection, statement: str) -> Outcome:
    try:
        cursor = connection.execute(statement.encode())
        rows = cursor.fetchall() if cursor.description else []
        return Outcome(rows=rows, rowcount=cursor.rowcount)
    except psycopg.Error as error:
        return Outcome(sqlstate=error.sqlstate or "unknown")


def payloads(connection: Connection, wanted: str) -> list[str]:
    """Notifications as they arrive, until the wanted one or the time is out."""
    received: list[str] = []
    deadline = monotonic() + NOTIFY_SECONDS
    while (left := deadline - monotonic()) > 0 and not any(wanted in p for p in received):
        received += [n.payload for n in connection.notifies(timeout=left, stop_after=1)]
    return received


def run_step(connection: Connection, step: Step) -> Outcome:
    outcome = execute(connection, step.statement)
    if "notify" not in step.expect or outcome.sqlstate is not None:
        return outcome
    received = payloads(connection, step.expect["notify"])
    return Outcome(outcome.rows, outcome.rowcount, notifications=received)


def unproved(case: Case, server: Server) -> list[str]:
    """Execute every step; return a complaint for each that went otherwise than the truth says."""
    complaints: list[str] = []
    saved: dict[str, object] = {}
    with ExitStack() as stack:
        connections: dict[str, Connection] = {}
        for number, step in enumerate(case.steps, start=1):
            try:
                if step.identity not in connections:
                    connections[step.identity] = stack.enter_context(opened(case, step, server))
                outcome = run_step(connections[step.identity], step)
            except psycopg.OperationalError:
                outcome = Outcome(refused=True)
            why = complaint(step.expect, outcome, saved)
            if "save" in step.expect:
                saved[step.expect["save"]] = outcome.scalar
            if why:
                complaints.append(
                    f"step {number} as {step.identity}: {step.statement}\n"
                    f"  expected {dict(step.expect)}, but {why}"
                )
    return complaints


@contextmanager
def opened(case: Case, step: Step, server: Server) -> Iterator[Connection]:
    """A connection that has entered the identity's context, as a request of the app would."""
    database, login, context = place(case, step.identity)
    url = server.url(database=database, user=login) if login else server.url(database=database)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for statement in context:
            connection.execute(statement.encode())
        yield connection


def clear(admin: Connection, roles: Sequence[str]) -> None:
    """Drop what an earlier case left: its databases, their slots, and the roles given."""
    admin.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
        " WHERE database LIKE 'labcase%'"
    )
    names = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'labcase%'")
    for (name,) in names.fetchall():
        statement = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        admin.execute(statement)
    known = admin.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(roles)])
    existing = [sql.Identifier(name) for (name,) in known.fetchall()]
    for role in existing:
        admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
    for role in existing:
        admin.execute(sql.SQL("DROP ROLE {}").format(role))


@contextmanager
def loaded(case: Case, server: Server) -> Iterator[None]:
    """The case's databases and roles, gone afterwards."""
    scripts = case.scripts
    roles = [role for script in scripts.values() for role in roles_created(script)]
    with psycopg.connect(server.url(), autocommit=True) as admin:
        clear(admin, roles)
        try:
            for name in scripts:
                statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
                admin.execute(statement.format(sql.Identifier(name)))
            for name, script in scripts.items():
                load(script, server.url(database=name))
            yield
        finally:
            clear(admin, roles)


def load(script: str, url: str) -> None:
    port = str(conninfo_to_dict(url).get("port") or 5432)
    psql = shutil.which("psql") or "psql"
    done = subprocess.run(
        [psql, "-qX", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"],
        input=script.replace(WRITTEN_PORT, port),
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"the schema does not load: {done.stderr}")
