"""PW213: the contents of another tenant's large object."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.engine import CLOSED
from partywall.survey.surfaces import attackers, tenant_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Column, Relation
    from partywall.survey.attack import Effect, Judgement, Outcome, Scene
    from partywall.survey.identity import Who

HIGHEST, SPREAD = 4_294_967_295, 1_000_000
SHAPES = 8
FOUND = "pg_temp.partywall_large"
FIX = (
    "keep the contents in a bytea column of the row, which its policy guards, "
    "or give every tenant a role"
)


@attack("PW213", effect="read")
def read_large_objects(scene: Scene) -> Iterator[Attempt]:
    """Read and overwrite, as A, a large object that B made, or that a row of B names.

    A policy guards the row that holds the object's number, not the object: that belongs to the
    role that made it, and all tenants of one login are that role. Numbers follow each other, so
    they need not be known.

    Affected:
        Applications that keep files as large objects, with one login for all tenants.

    Breaches:
        ALTER TABLE shop.invoices ADD scan oid;

    Holds:
        ALTER TABLE shop.invoices ADD scan bytea;

    Fix:
        Keep the contents in a bytea column of the row, which its policy guards, or give each
        tenant a login.

    Source:
        https://www.postgresql.org/docs/current/lo-implementation.html
    """
    holders = [
        (table, column)
        for table in scene.snapshot.tables
        if table.qualified in scene.model.owned
        for column in _numbers(table)
    ]
    for who in _roles(scene) if holders else ():
        if scene.snapshot.large_objects:
            yield from _granted(scene, who)
            for table, column in holders if scene.place == "target" else ():
                yield from _existing(scene, table, column, who)
        else:
            for name in dict.fromkeys(t.qualified for t, c in holders if _stores(scene, t, c)):
                yield from _made(scene, name, who)


def _roles(scene: Scene) -> Iterator[Who]:
    """Attackers of different roles: no policy and no context has a say in large objects."""
    seen: set[str] = set()
    for who in reversed(attackers(scene)):
        if scene.identities[who].role not in seen:
            seen.add(scene.identities[who].role)
            yield who


def _numbers(table: Relation) -> list[Column]:
    """Columns that may hold numbers of large objects."""
    return [c for c in table.columns if c.base == "oid" or c.type.rpartition(".")[2] == "lo"]


def _stores(scene: Scene, table: Relation, column: Column) -> bool:
    """Whether the application itself stores such numbers there, and so makes the objects."""
    grants = scene.grants("B")
    writable = (*grants.columns_for("INSERT", table), *grants.columns_for("UPDATE", table))
    return column in writable and scene.usable("B", table)


def _made(scene: Scene, table: str, who: Who) -> Iterator[Attempt]:
    """An object that B makes as the application would."""
    make = Step("B", f"SELECT lo_from_bytea({_number(scene)}, {_canary(scene)})")
    yield from _attempts(scene, table, who, (make,))


def _granted(scene: Scene, who: Who) -> Iterator[Attempt]:
    """An object with the owner and the readers of those that the target holds."""
    victim = scene.identities["B"].role
    number = _number(scene)
    shapes = {
        (one.owner, one.readers, one.writers)
        for one in scene.snapshot.large_objects
        if victim in one.readers or victim == one.owner
    }
    private = {shape for shape in shapes if not set(scene.snapshot.acting) <= shape[1]}
    for owner, readers, writers in sorted(private or shapes, key=str)[:SHAPES]:
        grants = [("SELECT", role) for role in readers] + [("UPDATE", role) for role in writers]
        make = [f"SELECT lo_from_bytea({number}, {_canary(scene)})"]
        make.append(f"ALTER LARGE OBJECT {number} OWNER TO {sql.identifier(owner)}")
        make += [
            f"GRANT {privilege} ON LARGE OBJECT {number} TO {sql.identifier(role)}"
            for privilege, role in sorted(grants)
        ]
        steps = tuple(Step("admin", statement) for statement in make)
        yield from _attempts(scene, f"large objects of {owner}", who, steps)


def _attempts(scene: Scene, at: str, who: Who, make: tuple[Step, ...]) -> Iterator[Attempt]:
    """Read it, overwrite it, remove it: each on its own, for each is another effect."""
    canary, number = scene.world.canaries["B"], _number(scene)
    get = f"SELECT convert_from(lo_get({number}), 'UTF8')"
    ways: tuple[tuple[str, Effect, str], ...] = (
        (get, "read", "read"),
        (f"SELECT lo_put({number}, 0, 'overwritten')", "write", "overwritten"),
        (f"SELECT lo_unlink({number})", "destroy", "removed"),
    )
    look = Step("admin", get, quiet=True)
    for statement, effect, done in ways:

        def judge(
            outcomes: Sequence[Outcome], effect: Effect = effect, done: str = done
        ) -> Judgement:
            made, tried, seen = outcomes[len(make) - 1 :]
            read = tried.shows([canary])
            changed = effect != "read" and made.ok and tried.ok and not seen.shows([canary])
            if read or changed:
                return Breach(f"a large object of another tenant can be {done} by its number")
            return None

        yield Attempt(
            at=at,
            attacker=who,
            steps=(*make, Step(who, statement), look),
            judge=judge,
            control=(*make, Step("B", statement)),
            effect=effect,
            fix=FIX,
        )


def _number(scene: Scene) -> int:
    """A number that no object of the target has, and every run another."""
    taken = {one.oid for one in scene.snapshot.large_objects}
    number = HIGHEST - zlib.crc32(scene.world.canaries["B"].encode()) % SPREAD
    return next(n for n in range(number, 0, -1) if n not in taken)


def _canary(scene: Scene) -> str:
    return sql.literal(scene.world.canaries["B"])


def _existing(scene: Scene, table: Relation, column: Column, who: Who) -> Iterator[Attempt]:
    """Objects that real rows of B name: only whether they open is asked, nothing is read out."""
    tenant = tenant_column(scene, table)
    if tenant is None:
        return
    mine = f"{tenant.quoted}::text = {sql.literal(scene.identities['B'].tenant)}"
    known = f"EXISTS (SELECT FROM pg_largeobject_metadata m WHERE m.oid = {column.quoted})"
    rows = sql.select(table.qualified, [f"{column.quoted}::oid AS lo"], f"{mine} AND {known}")
    gather = f"CREATE TEMP TABLE partywall_large AS {rows} LIMIT 20"
    look = f"SELECT count(*) FROM {FOUND} WHERE lo_get(lo, 0, 1) IS NOT NULL"

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[-1].ok and (outcomes[-1].scalar or "0") != "0":
            said = f"large objects that another tenant's rows of {table.qualified} name can be read"
            return Breach(said)
        return None

    def steps(reader: Who) -> tuple[Step, ...]:
        share = Step("admin", f"GRANT SELECT ON {FOUND} TO PUBLIC", quiet=True)
        return (Step("admin", gather), share, Step(reader, look))

    yield Attempt(
        at=table.qualified,
        attacker=who,
        steps=steps(who),
        judge=judge,
        control=steps("B"),
        controlled=lambda outcomes: "" if (outcomes[-1].scalar or "0") != "0" else CLOSED,
        fix=FIX,
    )
