"""What a configuration to begin with would say: all that a database gives away about its tenants.

Nothing is attacked and nothing is written. The administrator's connection reads the catalog and,
where rows exist, the ids of two tenants.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor
from psycopg.conninfo import conninfo_to_dict

from partywall.errors import ConfigurationError, ModelError
from partywall.survey import synthesis
from partywall.survey.addresses import login_of
from partywall.survey.audit import complete, explain
from partywall.survey.configuration import Configuration, PublicRows
from partywall.survey.connecting import connect, opened
from partywall.survey.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import psycopg

    from partywall.catalog.facts import Policy, Snapshot
    from partywall.model import TenancyModel
    from partywall.survey.configuration import TenantSettings

ANONYMOUS = ("anon", "anonymous", "web_anon", "guest")
NAMES = ("a", "b")
PLAIN = re.compile(r"[a-z][a-z0-9_-]{0,30}")
ADMINISTRATOR = "PARTYWALL_ADMIN_PASSWORD"
SHOWN_TABLES = 40


@dataclass(frozen=True, slots=True)
class Proposed:
    """One tenant, or nobody: how the application seems to become it.

    Attributes:
        secret: the environment variable that has to hold the login's password; "" for none.
    """

    name: str
    id: str
    url: str
    enter: tuple[str, ...]
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A configuration to begin with.

    Attributes:
        url: the administrator's, a password replaced by the name of a variable.
        secret: that variable; "" where the URL had no password.
        existing: whether the tenants are there: their ids stand in rows, or name schemas.
        public: rows that everybody may read by a policy, perhaps by design, with the policy's name.
        shared, owned: tables by qualified name, with the reason.
        why: what kept the tenants from being made out; "" when they were.
    """

    url: str
    secret: str
    isolation: str
    tenants: tuple[Proposed, ...]
    existing: bool
    anonymous: Proposed | None
    public: tuple[tuple[PublicRows, str], ...]
    shared: Mapping[str, str]
    owned: Mapping[str, str]
    notes: tuple[str, ...] = ()
    why: str = ""


def propose(url: str) -> Proposal:
    """Read what the database at *url*, an administrator's address, gives away.

    Raises:
        ConfigurationError: it can't be reached, or the role is no administrator.
    """
    with ExitStack() as stack:
        admin = opened(stack, url, "")
        configuration, why = Configuration(url), ""
        try:
            configuration = complete(configuration, admin)
        except ModelError as error:
            why = str(error)
        model, _, facts = explain(configuration)
        known = None if why else existing(admin, model)
        if known:
            made = synthesis.tenants(facts, url, known)
            configuration = replace(configuration, tenants=made)
            model, _, facts = explain(configuration)
        logins = {login_of(one.url, one.name)[0] for one in configuration.tenants}
        others = _alike(facts, model)
        shared = {t: why for t, why in model.shared.items() if t not in others}
        return Proposal(
            url=address(url, secret=ADMINISTRATOR if conninfo_to_dict(url).get("password") else ""),
            secret=ADMINISTRATOR if conninfo_to_dict(url).get("password") else "",
            isolation=model.isolation.value,
            tenants=tuple(_tenants(url, configuration.tenants)),
            existing=bool(known or model.schemas),
            anonymous=_anonymous(url, facts, logins),
            public=tuple(_public(facts, model)),
            shared=dict(list(shared.items())[:SHOWN_TABLES]),
            owned={table: why.reason for table, why in list(model.owned.items())[:SHOWN_TABLES]},
            notes=model.notes,
            why=why,
        )


def existing(admin: psycopg.Connection[Any], model: TenancyModel) -> tuple[str, str] | None:
    """Two ids of tenants that rows hold, the list of tenants asked first; None where there aren't.

    A column that holds who acts, not which tenant, is left out.
    """
    places = [
        (table, why.column) for kind in ("registry", "column")
        for table, why in model.owned.items() if why.kind == kind
    ]  # fmt: skip
    found: dict[str, None] = {}
    for table, column in places:
        name = identifier(column)
        query = (
            f"SELECT DISTINCT {name}::text FROM {table} WHERE {name} IS NOT NULL ORDER BY 1 LIMIT 2"
        )
        found |= dict.fromkeys(row[0] for row in admin.execute(query.encode()).fetchall())
        if len(found) > 1:
            one, two, *_ = found
            return one, two
        if found:
            return None  # a single tenant: made-up ids are of the same kind
    return None


def _alike(facts: Snapshot, model: TenancyModel) -> frozenset[str]:
    """Tables of schemas that hold what a tenant's schema holds: they are other tenants'."""
    held: dict[str, set[str]] = {}
    for table in facts.tables:
        held.setdefault(table.schema, set()).add(table.name)
    shapes = [held.get(schema) for schema in model.schemas.values()]
    return frozenset(t.qualified for t in facts.tables if held[t.schema] in shapes)


def address(url: str, *, user: str = "", secret: str = "") -> str:
    """*url* as a URL without a password, for *user*; with the name of a variable in its place."""
    parts = {k: str(v) for k, v in conninfo_to_dict(url).items() if v not in {None, ""}}
    parts.pop("password", None)
    host, port = parts.pop("host", ""), parts.pop("port", "")
    name, database = user or parts.pop("user", ""), parts.pop("dbname", "")
    parts.pop("user", None)
    if host.startswith("/") or "," in host:
        parts["host"], host = host, ""
    if ":" in host:
        host = f"[{host}]"
    login = quote(name, safe="") + (f":${{{secret}}}" if secret else "")
    at = f"{login}@" if login else ""
    rest = f"?{urlencode(parts)}" if parts else ""
    return f"postgresql://{at}{host}{f':{port}' if port else ''}/{quote(database, safe='')}{rest}"


def _tenants(url: str, made: Iterable[TenantSettings]) -> Iterator[Proposed]:
    for number, one in enumerate(made):
        named = one.id if PLAIN.fullmatch(one.id) and not one.id.startswith("pw-") else ""
        login = login_of(one.url, one.name)[0]
        at, secret = _reachable(url, login)
        yield Proposed(named or NAMES[number], one.id, at, one.enter, secret)


def _reachable(url: str, login: str) -> tuple[str, str]:
    """The address of *login*; with a password from the environment where the server wants one."""
    plain = address(url, user=login)
    try:
        connect(plain).close()
    except ConfigurationError:
        secret = re.sub(r"[^A-Z0-9]", "_", login.upper()).strip("_") + "_PASSWORD"
        return address(url, user=login, secret=secret), secret
    return plain, ""


def _anonymous(url: str, facts: Snapshot, logins: set[str]) -> Proposed | None:
    """Who nobody is: a role of a usual name that the login can take."""
    for login in sorted(logins):
        for name in ANONYMOUS:
            if name in facts.roles[login].can_become and name != login:
                at, secret = _reachable(url, login)
                return Proposed(
                    "anonymous", "", at, (f"SET LOCAL ROLE {identifier(name)}",), secret
                )
    return None


def _public(facts: Snapshot, model: TenancyModel) -> Iterator[tuple[PublicRows, str]]:
    """Rows that a policy shows to everybody, whoever asks."""
    for table in facts.tables:
        for policy in table.policies if table.qualified in model.owned else ():
            if policy.permissive and policy.command in {"ALL", "SELECT"} and _asks_nobody(policy):
                yield PublicRows(table.qualified, policy.using or "true"), policy.name


def _asks_nobody(policy: Policy) -> bool:
    """Whether its condition looks at the row alone: no function, no other table, no role."""
    asking = _Asking()
    try:
        asking(parse_sql(f"SELECT 1 WHERE {policy.using or 'true'}"))
    except ParseError:
        return False
    return not asking.found


class _Asking(Visitor):  # type: ignore[misc] # pglast has no types
    """Whether an expression asks for more than the row."""

    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def visit_FuncCall(self, _ancestors: object, _node: ast.FuncCall) -> None:  # noqa: N802 - pglast's
        self.found = True

    def visit_SubLink(self, _ancestors: object, _node: ast.SubLink) -> None:  # noqa: N802 - pglast's
        self.found = True

    def visit_SQLValueFunction(  # noqa: N802 - pglast's
        self, _ancestors: object, _node: ast.SQLValueFunction
    ) -> None:
        self.found = True
