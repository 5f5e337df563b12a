"""Enter each declared tenant once, and see what the server then says about the session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
from pglast import ast, parse_sql
from pglast.parser import ParseError
from psycopg.rows import tuple_row

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.addresses import login_of
from partywall.survey.identity import Identity
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from partywall.survey.configuration import Configuration, TenantSettings
    from partywall.survey.identity import Who

SEEN = """
SELECT current_user::text, session_user::text, current_schemas(false)::text[],
       array(SELECT coalesce(current_setting(name, true), '') FROM unnest(%s::text[]) AS name)
"""


OF_THE_SESSION = {
    "statement_timeout", "lock_timeout", "transaction_timeout", "idle_session_timeout",
    "idle_in_transaction_session_timeout", "client_encoding",
}  # fmt: skip
"""Settings of a login that would stop a survey or garble it, and are part of no wall."""


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


def apart(a: Identity, b: Identity) -> None:
    """See that the declarations of two tenants don't mean the same one, or each other.

    Without any `enter` an application tells its tenants apart by itself, or not at all: that is
    for the survey to find.

    Raises:
        ConfigurationError: both have the same id in one database, enter by the same words, or
            one enters as the other.
    """
    both, one = f"[tenants.{a.name}] and [tenants.{b.name}]", a.database == b.database
    if one and a.tenant == b.tenant:
        raise ConfigurationError(
            f"{both} have the same id: a survey needs two tenants to hold apart"
        )
    if one and a.login == b.login and a.enter and a.enter == b.enter:
        raise ConfigurationError(
            f"{both} log in and enter by the same words: nothing makes them two tenants"
        )
    held = {i.who: {value for _, value in i.settings} for i in (a, b)}
    for who, other in ((a, b), (b, a)):
        if other.tenant in held[who.who] and who.tenant not in held[who.who]:
            raise ConfigurationError(
                f"[tenants.{who.name}] enters as {other.name}: its enter sets the id of "
                f"[tenants.{other.name}], not its own"
            )


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
        for setting in lodging(connection, login).items():
            connection.execute("SELECT set_config(%s, %s, false)", setting)
        connection.execute(f"SET SESSION AUTHORIZATION {identifier(login)}".encode())
        for statement in enter:
            connection.execute(statement.encode())
        if connection.info.transaction_status is not psycopg.pq.TransactionStatus.INTRANS:
            message = (
                f"{where} enter ends the transaction that it runs in: leave out COMMIT and "
                "ROLLBACK, each attempt needs its own"
            )
            raise ConfigurationError(message)
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


def lodging(connection: psycopg.Connection[Any], login: str) -> dict[str, str]:
    """What a log-in as *login* would set: of the database, of the role, of the role in it."""
    every = lodgings(connection)
    return {**every.get("", {}), **every.get(login, {})}


def lodgings(connection: psycopg.Connection[Any]) -> dict[str, dict[str, str]]:
    """By login what a log-in sets in this database; under "" what every one does."""
    query = """
        SELECT coalesce(r.rolname, ''), unnest(s.setconfig)
        FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
        WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        ORDER BY s.setrole = 0 DESC, s.setdatabase
    """
    found: dict[str, dict[str, str]] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:  # as it may be somebody else's
        for login, entry in cursor.execute(query):
            name, _, value = str(entry).partition("=")
            if name.lower() not in OF_THE_SESSION:
                found.setdefault(str(login), {})[name] = value
    return found
