"""The plan of an upgrade: what is to be done to each table, and what is done; values alone.

In stages, each over all tables before the next begins::

    column   the tenant column, filled and NOT NULL
    keys     keys and foreign keys with the tenant, beside the old ones
    walls    row security, and a bridge: who names no tenant acts as the one that there was
    cutover  the bridge goes, then the old keys; another tenant may use the same ids

Up to `walls` the old version of the application runs on, and from `walls` on the new one runs too.
Where rows belong to several tenants already (`tenant_of`) there can be no bridge: the old version
is refused from `walls` on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from partywall.isolation import row_walls, upgrading
from partywall.isolation.naming import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.fleet.existing import Counter, Existing, Key, Reference
    from partywall.isolation.row_security import RowSecurity

Stage: TypeAlias = Literal["column", "keys", "walls", "cutover"]
STAGES: tuple[Stage, ...] = ("column", "keys", "walls", "cutover")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an upgrade.

    Attributes:
        stage: see this module.
        does: what it does, in words.
        sql: its statements.
        kind: `short`: one transaction that holds strong locks for a moment; `long`: one that reads
            a whole table under a lock that no reader or writer waits for; `concurrently`: the
            same outside a transaction; `batches`: many short ones, of the first statement, until
            the second says false.
        done: whether the catalog shows it done.
        locks: the tables that are locked first, so that nothing later waits while it holds one.
        mode: how they are locked.
        makes: for `concurrently`, the index that it leaves invalid when it is broken off.
    """

    stage: Stage
    does: str
    sql: tuple[str, ...]
    kind: Literal["short", "long", "concurrently", "batches"] = "short"
    done: bool = False
    locks: tuple[str, ...] = ()
    mode: Literal["ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE"] = "ACCESS EXCLUSIVE"
    makes: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be moved where.

    Attributes:
        model: the walls that shall stand.
        tenant: the id of the one tenant that there is so far.
        login: the role the application logs in as.
        owned: tenants' tables.
        shared: tables that every tenant reads.
        tenant_of: table -> an expression over its columns that says whose a row is, where the rows
            belong to several tenants already.
    """

    model: RowSecurity
    tenant: str
    login: str
    owned: tuple[str, ...]
    shared: tuple[str, ...]
    tenant_of: Mapping[str, str]


def steps(move: Move, existing: Existing) -> tuple[Step, ...]:
    """All steps of the upgrade, in order."""
    within = [r for r in existing.references if {r.table, r.target} <= set(move.owned)]
    crossing = [r for r in within if move.model.column not in r.columns]
    keys = [key for key in existing.keys if key.body and not key.led]
    return (
        function(move, existing),
        *(step for table in move.owned for step in column(move, existing, table)),
        *(twin_key(move, existing, key) for key in keys),
        *(step for reference in crossing for step in twin_reference(move, existing, reference)),
        *bound_views(existing),
        *(wall(move, existing, table) for table in move.owned),
        grants(move, existing),
        unbridged(move, existing),
        *(identity(move, counter) for counter in existing.counters),
        *(swapped_reference(reference) for reference in crossing),
        *swapped_keys(move, keys),
    )


def function(move: Move, existing: Existing) -> Step:
    """The function that says who acts; one that stands, as a bridge or not, stays as it is."""
    name, done = row_walls.function(move.model), existing.called_by != "nobody"
    if move.tenant_of:
        sql = row_walls.context_function(move.model)
        return Step("column", f"make {name}(), which says who acts", sql, done=done)
    sql = upgrading.bridge(move.model, move.tenant)
    return Step(
        "column", f"make {name}(), {move.tenant} where nobody says who acts", sql, done=done
    )


def unbridged(move: Move, existing: Existing) -> Step:
    """From here on a session without a tenant is refused."""
    bridged = existing.called_by == "everyone" or (
        existing.called_by == "nobody" and not move.tenant_of
    )
    sql = upgrading.unbridge(move.model)
    given = row_walls.grants(move.model, move.login, (), ())
    does = "refuse whoever doesn't say for which tenant"
    return Step("cutover", does, (*sql, *given), done=not bridged)


def column(move: Move, existing: Existing, table: str) -> Iterator[Step]:
    """The tenant column: added without a rewrite, filled, and required without a long lock."""
    model, found = move.model, existing.tables[table]
    expression = move.tenant_of.get(table, "")
    constant = upgrading.typed(model, move.tenant)
    check = upgrading.made(table, model.column)
    there, promised = bool(found.column_type), (table, check) in existing.checks
    sql: tuple[str, ...] = ()
    if not there:
        sql = (upgrading.add_column(model, table, "" if expression else constant),)
    elif not found.default and not expression:
        sql = (upgrading.set_default(model, table, constant),)
    if expression and upgrading.FILLS not in found.triggers and not found.required:
        sql = (*sql, *upgrading.start_filling(model, table, expression))
    named = f"{table}.{model.column}"
    yield Step("column", f"add {named}", sql, done=not sql, locks=(table,))
    if expression or there:
        filled = found.required or existing.checks.get((table, check), False)
        fill = upgrading.fill(model, table, expression or constant)
        sql = (fill, upgrading.unfilled(model, table))
        yield Step("column", f"fill {named}", sql, "batches", filled, (table,))
    done = found.required
    sql = (upgrading.promise(model, table),)
    yield Step("column", f"demand {named} of new rows", sql, done=done or promised, locks=(table,))
    valid = done or existing.checks.get((table, check), False)
    sql = (upgrading.validate(table, check),)
    yield Step("column", f"see that every row has {named}", sql, "long", valid, (table,))
    gone = done and not promised
    sql = upgrading.require(model, table)
    yield Step("column", f"make {named} NOT NULL", sql, done=gone, locks=(table,))


def twin_key(move: Move, existing: Existing, key: Key) -> Step:
    """An index like *key* that the tenant leads."""
    twin = upgrading.made(key.table, key.name)
    sql = upgrading.twin_index(move.model, key.table, twin, key.body, unique=key.unique)
    done = any(k.name == twin and k.table == key.table and k.valid for k in existing.keys)
    does = f"build an index like {key.name} of {key.table}, led by {move.model.column}"
    schema = key.table.partition(".")[0]
    return Step("keys", does, (sql,), "concurrently", done, (key.table,), makes=f"{schema}.{twin}")


def twin_reference(move: Move, existing: Existing, old: Reference) -> Iterator[Step]:
    """A foreign key like *old* that stays within the tenant."""
    twin = upgrading.made(old.table, old.name)
    deferred = "DEFERRED" if old.deferred else "IMMEDIATE"
    add = upgrading.twin_reference(
        move.model,
        old.table,
        twin,
        old.columns,
        old.target,
        old.target_columns,
        on_delete=old.on_delete,
        on_update=old.on_update,
        emptied=old.emptied,
        suffix=f" DEFERRABLE INITIALLY {deferred}" if old.deferrable else "",
    )
    valid = {(r.table, r.name): r.valid for r in existing.references}.get((old.table, twin))
    named = f"{old.name} of {old.table} and {move.model.column}"
    yield Step(
        "keys",
        f"add a foreign key of {named}",
        (add,),
        done=valid is not None,
        locks=pair(old),
        mode="SHARE ROW EXCLUSIVE",
    )
    sql = (upgrading.validate(old.table, twin),)
    does = f"see that every row obeys the foreign key of {named}"
    yield Step("keys", does, sql, "long", bool(valid), pair(old))


def pair(reference: Reference) -> tuple[str, ...]:
    """The tables that a foreign key touches, in an order that all transactions keep to."""
    return tuple(sorted({reference.table, reference.target}))


def grants(move: Move, existing: Existing) -> Step:
    """What the login may do besides its tenants' rows."""
    given = row_walls.grants(move.model, move.login, (), move.shared)
    done = existing.called_by in {"login", "everyone"} and all(
        existing.tables[table].readable for table in move.shared
    )
    return Step("walls", f"grant {move.login} what all tenants share", given, done=done)


def bound_views(existing: Existing) -> Iterator[Step]:
    """Views that read as an owner whom no policy binds read as whoever asks (PostgreSQL 15)."""
    for view in existing.views:
        if view.unbound and not view.stored:
            sql = (f"ALTER VIEW {qualified(view.name)} SET (security_invoker = true)",)
            yield Step("walls", f"have the view {view.name} read as whoever asks it", sql)


def walled(move: Move, existing: Existing, table: str) -> bool:
    """Whether the wall round *table* stands, and the login can't take it down."""
    found = existing.tables[table]
    return (
        found.walled
        and row_walls.POLICY in found.policies
        and found.default == row_walls.called(move.model)
        and not found.dismantlable
        and found.granted
    )


def wall(move: Move, existing: Existing, table: str) -> Step:
    """The policy of a table, and the login's rights, at once."""
    model, login = move.model, move.login
    sql: list[str] = []
    if upgrading.FILLS in existing.tables[table].triggers or table in move.tenant_of:
        sql += upgrading.stop_filling(model, table)
    sql += row_walls.build(model, table)
    if existing.tables[table].dismantlable:
        sql += upgrading.take_ownership(table)
    sql += [upgrading.narrow(table, login), *row_walls.grants(model, login, [table], [])]
    sql += [
        upgrading.let_count((counter.schema, counter.name), login)
        for counter in existing.counters
        if counter.table == table
    ]
    done = walled(move, existing, table)
    return Step("walls", f"build the wall of {table}", tuple(sql), done=done, locks=(table,))


def identity(move: Move, counter: Counter) -> Step:
    """The sequence that every session may ask goes."""
    options = f"START WITH {counter.start} INCREMENT BY {counter.step} CACHE {counter.cache}"
    place = (counter.schema, counter.name)
    sql = upgrading.count_by_identity(counter.table, counter.column, place, options, move.login)
    does = f"number {counter.table}.{counter.column} by an identity"
    return Step("cutover", does, sql, locks=(counter.table,))


def swapped_reference(old: Reference) -> Step:
    """The foreign key that could cross goes."""
    sql = upgrading.swap_reference(old.table, old.name, upgrading.made(old.table, old.name))
    does = f"put the new foreign key in the place of {old.name} of {old.table}"
    return Step("cutover", does, sql, locks=pair(old))


def swapped_keys(move: Move, keys: list[Key]) -> Iterator[Step]:
    """The keys that all tenants share go, all of a table at once."""
    for table in move.owned:
        old = [key for key in keys if key.table == table]
        sql = tuple(
            statement
            for key in old
            for statement in upgrading.swap_key(
                table, key.name, upgrading.made(table, key.name), key.kind
            )
        )
        does = f"put the new keys of {table} in the place of the old ones"
        yield Step("cutover", does, sql, done=not old, locks=(table,))
