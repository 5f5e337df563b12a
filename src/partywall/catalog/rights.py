"""Who there is in a database, and who may do what: values, as those of `facts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.catalog.facts import Column, Oid, Relation

Holding: TypeAlias = Literal["relation", "sequence", "schema", "database"]


@dataclass(frozen=True, slots=True)
class Membership:
    """That `member` holds `role`; before PostgreSQL 16 INHERIT is the member's own attribute."""

    role: str
    member: str
    inherit: bool
    set: bool
    admin: bool


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the cluster.

    Attributes:
        acts_as: roles whose privileges it holds without SET ROLE, itself included
            (the server's own answer: `pg_has_role(…, 'USAGE')`).
        can_become: roles it may SET ROLE to, itself included.
        settings: ALTER ROLE … SET, cluster-wide and for this database, by setting name.
    """

    name: str
    superuser: bool
    bypasses_rls: bool
    creates_roles: bool
    creates_databases: bool
    replicates: bool
    login: bool
    inherits: bool
    acts_as: frozenset[str]
    can_become: frozenset[str]
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema outside the system's; usage and create say which acting roles hold them."""

    name: str
    quoted: str
    owner: str
    usage: frozenset[str]
    create: frozenset[str]
    extension: str | None


@dataclass(frozen=True, slots=True)
class LargeObject:
    """A large object and the acting roles that may read or write it."""

    oid: Oid
    owner: str
    readers: frozenset[str]
    writers: frozenset[str]


@dataclass(frozen=True, slots=True)
class DefaultPrivilege:
    """ALTER DEFAULT PRIVILEGES: what objects yet to come will grant.

    Attributes:
        kind: "tables", "sequences", "functions", "types" or "schemas".
        schema: "" when it holds in every schema.
        grants: (grantee, privilege); the grantee is "public" for everyone.
    """

    creator: str
    schema: str
    kind: str
    grants: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the cluster and the acting roles that may connect, create, make temp tables."""

    name: str
    owner: str
    connect: frozenset[str]
    create: frozenset[str]
    temporary: frozenset[str]
    template: bool


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """A foreign server with its options and the roles that have a user mapping."""

    name: str
    wrapper: str
    owner: str
    options: Mapping[str, str]
    mapped: tuple[str, ...]
    usage: frozenset[str]


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication; `tables` are qualified names, all_tables covers every table."""

    name: str
    owner: str
    all_tables: bool
    tables: tuple[str, ...]
    filtered: bool


@dataclass(frozen=True, slots=True)
class Grants:
    """What one acting role may do with relations, as the server answers it.

    Attributes:
        tables: privileges on the whole relation, by relation.
        columns: column privileges that go beyond `tables`: (relation, privilege) -> columns.
    """

    tables: Mapping[Oid, frozenset[str]]
    columns: Mapping[tuple[Oid, str], frozenset[str]]

    def may(self, privilege: str, relation: Oid) -> bool:
        """Whether *privilege* is held on the relation or on at least one of its columns."""
        return privilege in self.tables.get(relation, ()) or (relation, privilege) in self.columns

    def reaches(self, relation: Oid) -> bool:
        """Whether any privilege is held on the relation or on one of its columns."""
        return bool(self.tables.get(relation)) or any(oid == relation for oid, _ in self.columns)

    def columns_for(self, privilege: str, relation: Relation) -> tuple[Column, ...]:
        """Columns on which *privilege* is held, in table order."""
        if privilege in self.tables.get(relation.oid, ()):
            return relation.columns
        names = self.columns.get((relation.oid, privilege), frozenset())
        return tuple(c for c in relation.columns if c.name in names)
