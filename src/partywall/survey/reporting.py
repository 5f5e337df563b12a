"""Put together what a survey says, from all that was judged."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from partywall.survey.acceptance import sort_out
from partywall.survey.addresses import without_secret
from partywall.survey.attack import LEVELS
from partywall.survey.coverage import uncovered
from partywall.survey.engine import cells
from partywall.survey.verdict import Report, Undecided
from partywall.survey.walls import walls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Snapshot
    from partywall.survey.attack import Scene
    from partywall.survey.configuration import Configuration
    from partywall.survey.engine import Engine, Judged
    from partywall.survey.verdict import Advice, Finding, State

OUT_OF_LOCKS = "(53200)"
MORE_LOCKS = (
    "planting holds a lock for each table and index: ALTER SYSTEM SET max_locks_per_transaction = "
    "512, and start the server again"
)
PLANTING = ("PW200", "plant-rows")


def report(  # noqa: PLR0913 - the parts of a survey
    configuration: Configuration,
    scene: Scene,
    engine: Engine,
    judged: Sequence[Judged],
    answered: tuple[tuple[Finding, ...], tuple[Advice, ...]],
    duration_s: float,
    unwritten: int | None = None,
    *,
    whole: bool = True,
) -> Report:
    """Say what was found, what was accepted, and what nothing can be said about.

    With `--read-only` *unwritten* says how many attempts were left out because they write.
    Where all attacks were asked for (*whole*), what none of them covers is undecided.
    """
    found, advice = answered
    every = [*(one.finding for one in judged if one.finding), *found]
    today = datetime.now(tz=UTC).date()
    findings, excepted, remarks = sort_out(every, configuration.exceptions, today)
    undecided = [one.undecided for one in judged if one.undecided]
    undecided += list(_unplanted(scene))
    if unwritten:
        undecided.append(_not_written(unwritten))
    if not judged and not findings:
        undecided.append(_nothing(scene))
    if whole and unwritten is None:
        tried = {*_surfaces(judged), *(f.at for f in every), *(one.at for one in undecided)}
        undecided += uncovered(scene, tried, configuration.shared)
    counted = {(f.at, f.effect) for f in findings}
    accepted = {(one.finding.at, one.finding.effect) for one in excepted}
    states: dict[tuple[str, str], State] = {
        **cells(judged),
        **dict.fromkeys(accepted, "excepted"),
        **dict.fromkeys(((one.at, one.effect) for one in undecided), "undecided"),
        **dict.fromkeys(counted, "breached"),
    }
    catalog: dict[str, str] = {f.at: f.layer for f in found if f.at not in _surfaces(judged)}
    return Report(
        findings=findings,
        undecided=tuple(dict.fromkeys(undecided)),  # one line for all who tried the same
        advice=advice,
        excepted=excepted,
        cells=states,
        layers=catalog,
        controls={"proved": engine.proved, "failed": engine.failed},
        attempts=len(judged),
        place=scene.place if unwritten is None else f"{scene.place}, read-only",
        attacker=scene.attacker,
        target=configuration.title or without_secret(configuration.url),
        versions={
            "postgresql": str(scene.snapshot.version),
            "partywall": version("partywall"),
        },
        duration_s=duration_s,
        left=(*configuration.notes, *_left(scene)),
        model=scene.model,
        identities=scene.identities,
        kinds=kinds(scene.snapshot),
        remarks=remarks,
        walls=walls(scene),
    )


def kinds(facts: Snapshot) -> dict[str, str]:
    """What each surface that has a name in the catalog is."""
    return (
        {r.qualified: r.kind for r in facts.relations.values()}
        | {f.signature: f.kind for f in facts.functions.values()}
        | {s.qualified: "sequence" for s in facts.sequences.values()}
    )


def _surfaces(judged: Sequence[Judged]) -> set[str]:
    return {one.attempt.at for one in judged}


def unplanted(reason: str) -> str:
    """Why a table has no row, and what helps where the server ran out of room for locks."""
    told = f"no row could be planted: {reason}"
    return f"{told}; {MORE_LOCKS}" if OUT_OF_LOCKS in reason else told


def _unplanted(scene: Scene) -> Iterator[Undecided]:
    """Tables without a row that an acting role can reach: nothing was tried on them."""
    roles = {identity.role for identity in scene.identities.values()}
    for table, reason in sorted(scene.world.unplanted.items()):
        relation = scene.snapshot.by_qualified[table]
        if any(scene.snapshot.grants[role].reaches(relation.oid) for role in roles):
            yield Undecided(*PLANTING, "read", table, unplanted(reason))


def _not_written(attempts: int) -> Undecided:
    because = (
        f"{attempts} attempts need to write, if only to put rows there to look for: none of them "
        "was made with --read-only; survey a copy (--on copy) to decide them"
    )
    return Undecided(*PLANTING, "write", "database", because)


def _nothing(scene: Scene) -> Undecided:
    role = scene.identities["A"].role
    because = (
        f"nothing was there to attack: {role} can reach no table, view or function that holds "
        "rows of tenants; is it the role the application works as?"
    )
    return Undecided(*PLANTING, "read", "database", because)


def _left(scene: Scene) -> Iterator[str]:
    """What this survey did not try, by its own settings."""
    beyond = LEVELS[LEVELS.index(scene.attacker) + 1 :]
    if beyond:
        yield (
            f"attacks that take an attacker of level {' or '.join(beyond)} were not tried "
            f"(attacker = {scene.attacker})"
        )
    if scene.place == "target" and scene.destructive:
        yield "locks stronger than ROW EXCLUSIVE were taken on the target (--destructive)"
    if scene.place == "target" and not scene.destructive:
        yield (
            "statements that take strong locks, and updates without a condition on large tables, "
            "were not tried on the target (--destructive)"
        )
