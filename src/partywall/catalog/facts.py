"""What a survey knows of one database: values, read once, never a connection.

Names are as PostgreSQL stores them; `qualified` and `quoted` forms are made by the server
(``format('%I')``), so that they can be pasted into SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.catalog.rights import (
        Database,
        DefaultPrivilege,
        ForeignServer,
        Grants,
        Holding,
        LargeObject,
        Membership,
        Publication,
        Role,
        Schema,
    )

RelationKind: TypeAlias = Literal["table", "partitioned", "view", "matview", "foreign"]
ConstraintKind: TypeAlias = Literal["primary", "unique", "foreign", "check", "exclusion"]
Oid: TypeAlias = int


@dataclass(frozen=True, slots=True)
class Column:
    """One live column of a relation.

    Attributes:
        quoted: the name as it goes into SQL.
        type: as `format_type` prints it, with its modifier: ``character varying(40)``.
        base: name of the base type once domains are unwrapped: ``varchar``, ``uuid``, ``_text``.
        category: `pg_type.typcategory` of the base type: S string, N number, D date/time, …
        element: for an array its element's base type, else "".
        length: maximal number of characters or bits, None when unlimited.
        identity: "" or "always" or "by default".
        enum: labels in their order, when the base type is an enum.
        domain_checks: CHECK expressions of the domains around it, over ``VALUE``.
        deterministic: False when its collation is nondeterministic (equality is not identity).
    """

    number: int
    name: str
    quoted: str
    type: str
    base: str
    category: str
    element: str
    length: int | None
    not_null: bool
    default: str | None
    identity: str
    generated: bool
    enum: tuple[str, ...]
    domain_checks: tuple[str, ...]
    deterministic: bool
    comment: str | None = None

    @property
    def textual(self) -> bool:
        """Whether it can carry a readable canary (strings, not `char`, enums or names of types)."""
        return self.base in {"text", "varchar", "bpchar", "citext", "name", "json", "jsonb", "xml"}

    @property
    def unguessable(self) -> bool:
        """Whether its values are random by their type or default, so that nobody can probe them."""
        default = self.default or ""
        return self.base == "uuid" or "gen_random" in default or "uuid_generate" in default


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table; for a foreign key also what it points at.

    Attributes:
        columns: the constrained columns, in key order; an expression of an exclusion is "".
        expression: for a check its expression, for an exclusion its definition.
        on_delete: "NO ACTION", "RESTRICT", "CASCADE", "SET NULL" or "SET DEFAULT".
    """

    name: str
    kind: ConstraintKind
    table: Oid
    columns: tuple[str, ...]
    definition: str
    target: Oid | None = None
    target_columns: tuple[str, ...] = ()
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    deferrable: bool = False
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `columns` holds "" where an expression stands, `expressions` its text."""

    name: str
    table: Oid
    unique: bool
    primary: bool
    exclusion: bool
    columns: tuple[str, ...]
    expressions: str
    predicate: str | None
    definition: str
    nulls_not_distinct: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """A row security policy; roles holds "public" where it applies to everyone."""

    name: str
    table: Oid
    command: Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    check: str | None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger that is not internal."""

    name: str
    table: Oid
    function: Oid
    enabled: bool
    definition: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rewrite rule other than a view's own SELECT rule."""

    name: str
    table: Oid
    event: str
    definition: str


@dataclass(frozen=True)
class Relation:
    """A table, view, materialized view or foreign table outside the system's schemas.

    Attributes:
        parent: the partitioned or inherited table it belongs to.
        bound: for a partition its bound as `pg_get_expr` prints it.
        options: reloptions, ``security_invoker`` among them, lower case.
        definition: for a view its query.
        rows: the planner's estimate, -1 when never analysed.
        size: bytes on disk of its main fork.
        server: for a foreign table its foreign server.
    """

    oid: Oid
    schema: str
    name: str
    qualified: str
    quoted: str
    kind: RelationKind
    owner: str
    rls: bool
    forced: bool
    is_partition: bool
    parent: Oid | None
    bound: str | None
    options: Mapping[str, str]
    definition: str | None
    rows: float
    size: int
    extension: str | None
    server: str | None
    updatable: int
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    policies: tuple[Policy, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    rules: tuple[Rule, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def primary_key(self) -> tuple[str, ...]:
        """Columns of the primary key, in key order; () when it has none."""
        return next((c.columns for c in self.constraints if c.kind == "primary"), ())

    @cached_property
    def foreign_keys(self) -> tuple[Constraint, ...]:
        """Its foreign keys, in name order."""
        return tuple(c for c in self.constraints if c.kind == "foreign")

    @property
    def stores_rows(self) -> bool:
        """Whether rows can be inserted into it as a table."""
        return self.kind in {"table", "partitioned"}


@dataclass(frozen=True, slots=True)
class Function:
    """A function or procedure outside the system's schemas.

    Attributes:
        signature: schema-qualified name with input argument types, as `regprocedure` prints it.
        arguments: input arguments as (name, type); names may be "".
        returns: its result as `pg_get_function_result` prints it, "" for a procedure.
        settings: proconfig, by setting name.
        source: prosrc, or the deparsed body of an SQL-standard function.
    """

    oid: Oid
    schema: str
    name: str
    qualified: str
    signature: str
    kind: Literal["function", "procedure", "aggregate", "window"]
    owner: str
    language: str
    definer: bool
    leakproof: bool
    volatility: Literal["immutable", "stable", "volatile"]
    returns: str
    returns_set: bool
    is_trigger: bool
    arguments: tuple[tuple[str, str], ...]
    defaults: int
    settings: Mapping[str, str]
    source: str
    cost: float
    extension: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence, and the column that owns or uses it as default.

    Attributes:
        users: (relation, column) pairs whose default or identity draws from it.
    """

    oid: Oid
    schema: str
    name: str
    qualified: str
    owner: str
    users: tuple[tuple[Oid, str], ...]


@dataclass(frozen=True, eq=False)  # two readings are never the same one: it can be a key
class Snapshot:
    """One consistent reading of one database.

    Attributes:
        version: server_version_num, 150020 for 15.20.
        settings: database-wide settings (ALTER DATABASE … SET), by name.
        acting: the roles that attacks run as; grants are read for these.
        missing: what could not be read, and why.
        given: who was granted what, as it is written: (kind, oid; name of a schema or a database)
            -> (privilege, grantee), "" for PUBLIC. Nothing of objects with their first privileges.
    """

    version: int
    database: str
    settings: Mapping[str, str]
    acting: tuple[str, ...]
    relations: Mapping[Oid, Relation]
    functions: Mapping[Oid, Function]
    sequences: Mapping[Oid, Sequence]
    schemas: Mapping[str, Schema]
    roles: Mapping[str, Role]
    memberships: tuple[Membership, ...]
    grants: Mapping[str, Grants]
    executable: Mapping[str, frozenset[Oid]]
    sequence_grants: Mapping[str, Mapping[Oid, frozenset[str]]]
    large_objects: tuple[LargeObject, ...]
    default_privileges: tuple[DefaultPrivilege, ...]
    databases: Mapping[str, Database]
    servers: Mapping[str, ForeignServer]
    publications: tuple[Publication, ...]
    event_triggers: tuple[str, ...]
    extensions: Mapping[str, str]
    statistics: tuple[str, ...]
    catalog_grants: Mapping[str, frozenset[str]]
    missing: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[tuple[Holding, str], frozenset[tuple[str, str]]] = field(default_factory=dict)

    @cached_property
    def by_qualified(self) -> dict[str, Relation]:
        """Relations by their qualified, quoted name."""
        return {relation.qualified: relation for relation in self.relations.values()}

    @cached_property
    def relations_by_name(self) -> dict[str, tuple[Relation, ...]]:
        """Relations by their bare name, those of extensions left out."""
        found: dict[str, tuple[Relation, ...]] = {}
        for relation in self.relations.values():
            if relation.extension is None:
                found[relation.name] = (*found.get(relation.name, ()), relation)
        return found

    @cached_property
    def functions_by_name(self) -> dict[str, tuple[Function, ...]]:
        """Functions by their bare name, those of extensions left out."""
        found: dict[str, tuple[Function, ...]] = {}
        for function in self.functions.values():
            if function.extension is None:
                found[function.name] = (*found.get(function.name, ()), function)
        return found

    @cached_property
    def tables(self) -> tuple[Relation, ...]:
        """Tables that store rows and belong to no extension, in name order."""
        mine = (r for r in self.relations.values() if r.stores_rows and r.extension is None)
        return tuple(sorted(mine, key=lambda relation: relation.qualified))

    @cached_property
    def referencing(self) -> dict[Oid, tuple[Constraint, ...]]:
        """Foreign keys by the table they point at."""
        found: dict[Oid, list[Constraint]] = {}
        for relation in self.tables:
            for key in relation.foreign_keys:
                if key.target is not None:
                    found.setdefault(key.target, []).append(key)
        return {target: tuple(keys) for target, keys in found.items()}
