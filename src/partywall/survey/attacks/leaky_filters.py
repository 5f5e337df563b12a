"""PW217: an error or a notice that only another tenant's row could have caused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.engine import CLOSED
from partywall.survey.parameters import family
from partywall.survey.probes import probes
from partywall.survey.surfaces import base_table, level, reachable, relations, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Effect, Judgement, Outcome, Scene
    from partywall.survey.identity import Who
    from partywall.survey.probes import Probe
    from partywall.survey.world import Row

SPOT = "pg_temp.partywall_spot"
SPECIAL = {"number": ("0", "-1"), "text": ("", None), "boolean": ("false", "true")}
SCAN = "SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off"
UNSCAN = "SET LOCAL enable_indexscan TO DEFAULT; SET LOCAL enable_bitmapscan TO DEFAULT"


@attack("PW217", effect="detect")
def leaky_filters(scene: Scene) -> Iterator[Attempt]:
    """Filter as A by conditions that raise an error or a notice about the rows they look at.

    Row security and security_barrier views evaluate the wall's own filter first, unless what the
    caller adds is marked LEAKPROOF; in a view without a barrier the cheaper condition goes first,
    whoever wrote it. The same question behind an optimisation fence (OFFSET 0) shows what A's own
    rows have to say: whatever comes on top was said by another's. Asked under the server's own
    plan, then without indexes: statistics alone may bring such a plan about.

    Affected:
        Views that keep tenants apart by a condition of their own, and functions declared
        LEAKPROOF.

    Breaches:
        CREATE VIEW shop.mine AS
          SELECT * FROM shop.invoices WHERE tenant = current_setting('app.tenant', true);
        GRANT SELECT ON shop.mine TO app;

    Holds:
        CREATE VIEW shop.mine WITH (security_barrier = true) AS
          SELECT * FROM shop.invoices WHERE tenant = current_setting('app.tenant', true);
        GRANT SELECT ON shop.mine TO app;

    Fix:
        Make the view a security barrier, or one that asks as its caller; declare LEAKPROOF
        nothing that can raise.

    Source:
        https://www.postgresql.org/docs/current/rules-privileges.html
    """
    for relation in relations(scene):
        table, held = base_table(scene, relation) or relation, row(scene, relation, "B")
        owned = table.qualified in scene.model.owned and table.qualified not in scene.public
        if owned and held is not None and reachable(scene, "A", relation, "SELECT"):
            for probe in probes(scene, relation):
                yield _attempt(scene, relation, table, held, probe)


def _attempt(scene: Scene, relation: Relation, table: Relation, held: Row, probe: Probe) -> Attempt:
    tokens = scene.world.tokens["B"]
    steps = _steps(scene, relation, table, held, probe, "A")
    rounds = [n for n, step in enumerate(steps) if step.sql == SCAN]

    def spoken(outcomes: Sequence[Outcome]) -> Iterator[tuple[int, int, Outcome]]:
        """Each time the plain question drew words that the fenced one did not."""
        for scan in rounds:
            fenced, plain, forced = (outcomes[scan + n] for n in (-2, -1, 1))
            for number, outcome in ((scan - 1, plain), (scan + 1, forced)):
                if _words(outcome) != _words(fenced) and not any(_words(fenced)):
                    yield scan, number, outcome

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        for scan, number, outcome in spoken(outcomes):
            effect: Effect | None = "read" if outcome.shows(tokens) else None
            also = (scan - 2, scan, number) if number > scan else (scan - 2, number)
            latent = number > scan and scene.attacker == "query"
            last = [n for n, s in enumerate(steps[:scan]) if s.who == "admin" and not s.quiet]
            first = [n for n, s in enumerate(steps[:scan]) if s.sql == probe.before]
            said = f"a filter on {relation.qualified} spoke about a row of another tenant"
            return Breach(said, "latent" if latent else effect, (*first[-1:], *last[-1:], *also))
        return None

    def controlled(outcomes: Sequence[Outcome]) -> str:
        return "" if any(any(_words(outcome)) for outcome in outcomes) else CLOSED

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=steps,
        judge=judge,
        control=_steps(scene, relation, table, held, probe, "B"),
        controlled=controlled,
        level=probe.level or level(scene, relation),
        repair=lambda: (probe.fix,),
    )


def _steps(
    scene: Scene, relation: Relation, table: Relation, held: Row, probe: Probe, who: Who
) -> tuple[Step, ...]:
    """Ask about each value that B's row may hold; on a copy no other row is in the way."""
    strong = scene.place == "copy" or scene.destructive
    quietly = "SET LOCAL session_replication_role = replica; "
    alone = Step("admin", quietly + sql.delete(table.qualified, f"NOT ({held.where})"), quiet=True)
    source = table.by_name.get(probe.column.name) if probe.column else None
    changes: list[str] = [""]
    if source is not None and not source.generated:
        values = SPECIAL.get(family(source.type), ())
        rows = [sql.update(table.qualified, {source.quoted: v}, held.where) for v in values]
        changes += [quietly + update for update in rows]
    apart = scene.place == "target" and relation.kind == "table"
    found = [alone] if scene.place == "copy" else []
    for change in changes:
        found += [Step("admin", change)] if change else []
        found += [Step("admin", f"ANALYZE {table.qualified}", quiet=True)] if strong else []
        found += [Step("admin", _placed(held), quiet=True)] if apart else []
        found += [Step(who, probe.before)] if probe.before else []
        found += [Step(who, "SET LOCAL enable_seqscan = off")] if apart else []
        for condition in probe.conditions:
            asked = _questions(scene, relation, condition, apart=apart)
            fenced, plain = (Step(who, query) for query in asked)
            found += [fenced, plain, Step(who, SCAN), plain, Step(who, UNSCAN)]
    return tuple(found)


def _placed(held: Row) -> str:
    """Tell where B's row stands: among rows in use it is asked about alone."""
    where = f"SELECT ctid AS spot FROM {held.table} WHERE {held.where}"
    return (
        f"DROP TABLE IF EXISTS {SPOT}; CREATE TEMP TABLE partywall_spot AS {where}; "
        f"GRANT SELECT ON {SPOT} TO PUBLIC"
    )


def _questions(scene: Scene, relation: Relation, condition: str, *, apart: bool) -> tuple[str, str]:
    """The question behind a fence, and the same without one."""
    columns, name = ", ".join(_columns(scene, relation)), relation.qualified
    spot = f"ctid = (SELECT spot FROM {SPOT})"
    fenced = f"(SELECT {columns} FROM {name}{f' WHERE {spot}' if apart else ''} OFFSET 0)"
    beside = f"seen.{spot} AND " if apart else ""
    fence = f"SELECT count(*) FROM {fenced} AS seen WHERE {condition}"
    return fence, f"SELECT count(*) FROM {name} AS seen WHERE {beside}{condition}"


def _columns(scene: Scene, relation: Relation) -> tuple[str, ...]:
    return tuple(c.quoted for c in scene.grants("A").columns_for("SELECT", relation))


def _words(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.sqlstate, outcome.message, outcome.told
