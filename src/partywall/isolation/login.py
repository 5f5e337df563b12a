"""Whether a login could get round the walls: what the server says of it, and the judgement.

The runtime asks before it lends the first connection (the query is in `login_query`); the survey
asks of every login it meets. What a login may do is a list of what it needs: all else is refused.
https://www.postgresql.org/docs/current/predefined-roles.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.isolation.naming import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ATTRIBUTES = {
    "superuser": ("NOSUPERUSER", "a superuser is behind every wall"),
    "bypassrls": ("NOBYPASSRLS", "row security does not hold for it"),
    "createrole": ("NOCREATEROLE", "it can make itself a member of other roles"),
    "replication": ("NOREPLICATION", "it can copy every row through a replication slot"),
}
"""Attribute -> what takes it away, and what it opens."""

PREDEFINED = {
    "pg_read_all_data": "it reads every table",
    "pg_write_all_data": "it writes every table",
    "pg_execute_server_program": "it runs programs as the server's user",
    "pg_read_server_files": "it reads the server's files, the data among them",
    "pg_write_server_files": "it writes the server's files",
    "pg_read_all_stats": "it reads the statements of every session",
    "pg_monitor": "it reads the statements of every session",
    "pg_signal_backend": "it stops the sessions of other roles",
    "pg_create_subscription": "it copies rows of other databases",
}
"""Role of PostgreSQL's own -> what its members can do."""

ROWS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
"""What a login may do with a tenant's table: policies hold each of these."""

OPENS = {
    "TRUNCATE": "it empties the table for all tenants: no policy holds it",
    "TRIGGER": "its code would run in every tenant's statements",
    "REFERENCES": "a foreign key tells which keys other tenants have",
    "MAINTAIN": "it locks and rewrites the table for all tenants",
}
"""Privilege on a tenant's table, besides `ROWS` -> what it opens."""

PARTS = {
    "": frozenset({"USAGE"}),
    "tenant_id": frozenset({"EXECUTE"}),
    "next_number": frozenset({"EXECUTE"}),
    "challenge": frozenset({"EXECUTE"}),
    "enter": frozenset({"EXECUTE"}),
    "same": frozenset[str](),
    "hmac": frozenset[str](),
    "seal_key": frozenset[str](),
}
"""What every policy stands on ("": the schema of the rest) -> what the login may do with it."""


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role that the login is, or may become.

    Attributes:
        name: as the catalog has it.
        attributes: those of `ATTRIBUTES` that it has.
        through: the roles granted to the login itself that lead to this one; () for this one.
    """

    name: str
    attributes: frozenset[str] = frozenset()
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A privilege that the login has, or a role that it may become, or ("") everyone."""

    by: str
    privilege: str


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table with the tenant column that the login may use in some way.

    Attributes:
        schema: where it stands.
        name: without the schema.
        owner: who owns it, where the login is or may become that; else "".
        enabled: whether row security is on.
        forced: whether it holds for the owner too.
        held: the privileges on it or on any of its columns.
    """

    schema: str
    name: str
    owner: str
    enabled: bool
    forced: bool
    held: tuple[Held, ...] = ()

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """How statements call it."""
        return f"{identifier(self.schema)}.{identifier(self.name)}"


@dataclass(frozen=True, slots=True)
class PartFacts:
    """Something of partywall's own that the login owns, or may use in some way.

    Attributes:
        name: a key of `PARTS`.
        quoted: how statements call it, with its kind: ``FUNCTION "partywall".enter(text, text)``.
        owner: as in `TableFacts`.
        held: the privileges on it.
    """

    name: str
    quoted: str
    owner: str
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """What the server says of a login.

    Attributes:
        login: its name.
        roles: itself, and all that it may become.
        tables: with the tenant column, where row security is the wall.
        parts: what every policy stands on, where row security is the wall.
    """

    login: str
    roles: tuple[RoleFacts, ...]
    tables: tuple[TableFacts, ...] = ()
    parts: tuple[PartFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Danger:
    """A way round the walls.

    Attributes:
        what: the privilege, and what it opens, in one sentence.
        mend: the statement that ends it.
    """

    what: str
    mend: str


def dangers(facts: LoginFacts, *, shared: Iterable[str] = ()) -> tuple[Danger, ...]:
    """What lets the login round the walls; () for a login that is held by them.

    Args:
        facts: what the server says.
        shared: qualified names of tables that every tenant may read.
    """
    [own] = (role for role in facts.roles if role.name == facts.login)
    if "superuser" in own.attributes:
        # It may do all that is judged below: the one attribute says it.
        return tuple(of_role(facts, own))[:1]
    open_ = frozenset(shared)
    found = [danger for role in facts.roles for danger in of_role(facts, role)]
    for table in facts.tables:
        if table.label not in open_:
            found += of_table(facts, table)
    for part in facts.parts:
        found += of_part(facts, part)
    return tuple(dict.fromkeys(found))


def leaving(facts: LoginFacts, name: str) -> str:
    """The statement after which the login can't become role *name*."""
    [role] = (role for role in facts.roles if role.name == name)
    granted = ", ".join(identifier(each) for each in role.through or (role.name,))
    return f"REVOKE {granted} FROM {identifier(facts.login)}"


def of_role(facts: LoginFacts, role: RoleFacts) -> Iterator[Danger]:
    """What one role opens to the login that is it, or may become it."""
    login, own = facts.login, role.name == facts.login
    who = f"{login} is" if own else f"{login} may become {role.name}, which is"
    for attribute, (without, opens) in ATTRIBUTES.items():
        if attribute in role.attributes:
            mend = f"ALTER ROLE {identifier(login)} {without}" if own else leaving(facts, role.name)
            yield Danger(f"{who} {attribute.upper()}: {opens}", mend)
    if not own and role.name in PREDEFINED:
        what = f"{login} is a member of {role.name}: {PREDEFINED[role.name]}"
        yield Danger(what, leaving(facts, role.name))


def of_table(facts: LoginFacts, table: TableFacts) -> Iterator[Danger]:
    """What one table with the tenant column leaves open."""
    if table.owner:
        what = f"{owning(facts, table.owner, table.label)} can take down its walls"
        yield Danger(what, giving(facts, table.owner, f"TABLE {table.quoted}"))
    if not table.enabled:
        what = f"{table.label} has the tenant column and no row security"
        mend = f"ALTER TABLE {table.quoted} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        yield Danger(what, mend)
    elif not table.forced:
        what = f"{table.label} does not hold its owner behind its row security"
        yield Danger(what, f"ALTER TABLE {table.quoted} FORCE ROW LEVEL SECURITY")
    for held in table.held:
        if held.privilege not in ROWS:
            opens = OPENS.get(held.privilege, "no policy holds it")
            what = f"{having(facts, held)} on {table.label}: {opens}"
            yield Danger(what, revoking(held, f"TABLE {table.quoted}"))


def of_part(facts: LoginFacts, part: PartFacts) -> Iterator[Danger]:
    """What one thing that every policy stands on leaves open."""
    if part.owner:
        what = (
            f"{owning(facts, part.owner, part.quoted)} can replace or read what every policy asks"
        )
        yield Danger(what, giving(facts, part.owner, part.quoted))
    for held in part.held:
        if held.privilege not in PARTS[part.name]:
            what = f"{having(facts, held)} on {part.quoted}: what every policy asks, or its key"
            yield Danger(what, revoking(held, part.quoted))


def owning(facts: LoginFacts, owner: str, label: str) -> str:
    """The login as the owner of something, or as one who may become that."""
    become = "" if owner == facts.login else f"may become {owner}, which "
    return f"{facts.login} {become}owns {label} and"


def giving(facts: LoginFacts, owner: str, quoted: str) -> str:
    """The statement that parts the login from what it owns."""
    if owner != facts.login:
        return leaving(facts, owner)
    return f"ALTER {quoted} OWNER TO …, a role that nobody logs in as"


def having(facts: LoginFacts, held: Held) -> str:
    """Who has a privilege."""
    if held.by in {facts.login, ""}:
        return f"{held.by or 'everyone'} has {held.privilege}"
    return f"{facts.login} may become {held.by}, which has {held.privilege}"


def revoking(held: Held, quoted: str) -> str:
    """The statement that takes a privilege away; of a table's columns too."""
    by = identifier(held.by) if held.by else "PUBLIC"
    return f"REVOKE {held.privilege} ON {quoted} FROM {by}"
