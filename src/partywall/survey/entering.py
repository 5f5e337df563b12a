"""Enter each declared tenant once, and see what the server then says about the session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
from pglast import ast, parse_sql
from pglast.parser import ParseError
from psycopg.conninfo import conninfo_to_dict

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.identity import Identity
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from partywall.survey.configuration import Configuration, TenantSettings
    from partywall.survey.identity import Who

SEEN = """
SELECT current_user::text, session_user::text, current_schemas(false)::text[],
       array(SELECT coalesce(current_setting(name, true), '') FROM unnest(%s::text[]) AS name)
"""


def settings_in(enter: Iterable[str]) -> tuple[str, ...]:
    """Names of the settings that *enter* statements set, in their order."""
    found: dict[str, None] = {}
    for text in enter:
        try:
            statements = parse_sql(text)
        except ParseError:
            continue  # the server will say what is wrong with it
        for raw in statements:
            if isinstance(raw.stmt, ast.VariableSetStmt) and raw.stmt.name:
                found[raw.stmt.name.lower()] = None
            for target in getattr(raw.stmt, "targetList", None) or ():
                call = target.val
                if isinstance(call, ast.FuncCall) and call.funcname[-1].sval == "set_config":
                    found[call.args[0].val.sval.lower()] = None
    return tuple(found)


def identities(
    configuration: Configuration, connect: Callable[[str], psycopg.Connection[Any]]
) -> dict[Who, Identity]:
    """The declared tenants as A and B, `none` and, where a setting carries the tenant, `empty`.

    *connect* opens an administrator's connection to a database, by its name.

    Raises:
        ConfigurationError: a tenant can't be entered as declared.
    """
    found: dict[Who, Identity] = {}
    a, b = configuration.tenants[:2]
    nobody = configuration.anonymous
    for who, declared in (
        ("A", a),
        ("B", b),
        ("none", nobody or replace(a, name="anonymous", id="", enter=(), prove=())),
    ):
        found[who] = _entered(who, declared, connect)  # type: ignore[arg-type,index] # literals of Who
    custom = [name for name, _ in found["A"].settings if "." in name]
    if custom:
        cleared = tuple(f"SELECT set_config({literal(name)}, '', true)" for name in custom)
        found["empty"] = replace(
            found["A"], who="empty", name="empty context", tenant="",
            enter=(*found["A"].enter, *cleared), settings=tuple((name, "") for name in custom),
        )  # fmt: skip
    return found


def login_of(url: str, where: str) -> tuple[str, str]:
    """The (role, database) that a connection URL logs in as and to."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        message = f"{where}: {str(error).strip()}; write it as postgresql://role@host:port/database"
        raise ConfigurationError(message) from error
    role = str(parts.get("user") or "")
    if not role:
        message = f"{where}: the URL names no role; write postgresql://ROLE@host/database"
        raise ConfigurationError(message)
    return role, str(parts.get("dbname") or role)


def _entered(
    who: Who, declared: TenantSettings, connect: Callable[[str], psycopg.Connection[Any]]
) -> Identity:
    where = f"[tenants.{declared.name}]" if who in {"A", "B"} else f"[{declared.name}]"
    login, database = login_of(declared.url, f"{where} url")
    enter = (*declared.enter, *declared.prove)
    names = [n for n in settings_in(enter) if n not in {"role", "session_authorization"}]
    connection = connect(database)
    try:
        connection.execute("BEGIN")
        for setting in _lodging(connection, login).items():
            connection.execute("SELECT set_config(%s, %s, false)", setting)
        connection.execute(f"SET SESSION AUTHORIZATION {identifier(login)}".encode())
        for statement in enter:
            connection.execute(statement.encode())
        row = connection.execute(SEEN, [names]).fetchone()
    except psycopg.errors.InvalidParameterValue as error:
        message = f"{where}: there is no role {login} on this server ({error.diag.message_primary})"
        raise ConfigurationError(message) from error
    except psycopg.Error as error:
        words = error.diag.message_primary or error
        message = f"{where} could not be entered: {words}; look at its url and enter"
        raise ConfigurationError(message) from error
    finally:
        if not connection.closed:
            connection.execute("ROLLBACK")
            connection.execute("RESET SESSION AUTHORIZATION")
    if row is None:
        message = "the server answered a SELECT without a row"
        raise TargetError(message)
    role, _, path, values = row
    settings = tuple((n, v) for n, v in zip(names, values, strict=True) if n != "search_path")
    return Identity(
        who, declared.name, declared.id, login, role, declared.url, database, enter,
        tuple(path), settings, declared.prove,
    )  # fmt: skip


def _lodging(connection: psycopg.Connection[Any], login: str) -> dict[str, str]:
    """What a log-in as *login* would set: of the database, of the role, of the role in it."""
    query = """
        SELECT unnest(setconfig) FROM pg_db_role_setting s
        WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
          AND (s.setrole = 0 OR s.setrole = (SELECT oid FROM pg_roles WHERE rolname = %s))
        ORDER BY s.setrole = 0 DESC, s.setdatabase
    """
    entries = (row[0] for row in connection.execute(query, [login]))
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}


def lodging(connection: psycopg.Connection[Any], identity: Identity) -> Mapping[str, str]:
    """The settings that a log-in as *identity* gets in the database of *connection*."""
    return _lodging(connection, identity.login)


def without_secret(url: str) -> str:
    """*url* fit for a report: host, port and database, no role and no password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname or 'local socket'}{port}{parts.path}"
