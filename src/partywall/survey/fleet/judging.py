"""From all tenants' turns to one report: who reached whom, and who could not be tested."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey.attacks import every_attack
from partywall.survey.fleet.drift import shown
from partywall.survey.verdict import Advice, Finding, Undecided, WitnessStep, explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.fleet.drift import Drift
    from partywall.survey.fleet.roster import Lodger
    from partywall.survey.fleet.turn import Place, Turn
    from partywall.survey.verdict import State

TURN = ("PW400", "all-tenants")
DRIFT = ("PW401", "tenant-drift")
NAMED = 5


@dataclass(frozen=True)
class Judged:
    """What the turns prove."""

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    cells: Mapping[Place, State]
    proved: int
    attempts: int


def judge(
    lodgers: Sequence[Lodger],
    turns: Mapping[str, Turn],
    places: Iterable[Place],
    fixes: Mapping[str, str],
) -> Judged:
    """Give each of *places* its verdict.

    A tenant's rows are safe there when nobody else reached any, and it reached its own in the same
    run; where it has none, nothing was proven for it.

    Args:
        lodgers: all tenants.
        turns: by tenant; who has none was not reached before the run was stopped.
        places: all surfaces, with every effect that was tried on them.
        fixes: attack -> how it is mended.
    """
    names = {one.id: one.name for one in lodgers}
    turns = {id_: turns[id_] for id_ in names if id_ in turns}
    known = {attack.name: attack.code for attack in every_attack()}
    findings = tuple(_findings(names, turns, known, fixes))
    breached = {(one.at, one.effect) for one in findings}
    undecided = list(_failed(names, turns))
    cells: dict[Place, State] = {}
    for at, effect in places:
        have = any((at, effect) in t.own for t in turns.values())
        settled = have or any((at, effect) in t.closed for t in turns.values())
        lack = [
            t for t in turns.values()
            if "" not in t.failed and (at, effect) not in t.own and (at, effect) not in t.closed
        ]  # fmt: skip
        if (at, effect) in breached:
            cells[at, effect] = "breached"
        elif lack or not settled:  # without any, every turn failed as a whole
            cells[at, effect] = "undecided"
        else:
            cells[at, effect] = "held" if have else "closed"
        words = "has no row of its own there, or can't reach it: nothing of it could be looked for"
        if lack and effect == "read":
            plain = [t for t in lack if at not in t.failed]
            if plain:
                undecided.append(_said(at, "read", [names[t.id] for t in plain], words))
    seen = sum(len(turn.own) for turn in turns.values())
    return Judged(
        findings,
        tuple(undecided),
        cells | dict.fromkeys(breached, "breached"),
        seen,
        sum(len(turn.own) + len(turn.closed) + len(turn.reached) for turn in turns.values()),
    )


def _findings(
    names: Mapping[str, str],
    turns: Mapping[str, Turn],
    codes: Mapping[str, str],
    fixes: Mapping[str, str],
) -> Iterable[Finding]:
    reached = defaultdict(list)
    for turn in turns.values():
        for one in turn.reached:
            reached[one.at, one.attack, one.effect].append((turn.id, one))
    for (at, attack, effect), ways in sorted(reached.items()):
        attacker, first = ways[0]
        victim = names.get(first.victim, first.victim) or "another tenant"
        among = f"{len(ways):,} of {len(turns):,} tenants"
        because = f"{_listed([names[id_] for id_, _ in ways])} ({among}) {_did(effect)} there"
        witness = WitnessStep(names[attacker], first.sql, first.returned)
        yield Finding(
            codes[attack], attack, "sql", effect, at, names[attacker], victim, (witness,),
            because, fixes.get(attack, ""), explained(attack),
        )  # fmt: skip


def _did(effect: Effect) -> str:
    done: Mapping[Effect, str] = {
        "read": "read what is others'", "write": "changed what is others'",
        "destroy": "removed what is others'", "detect": "saw that others are there",
    }  # fmt: skip
    return done.get(effect, f"({effect}) reached others")


def _failed(names: Mapping[str, str], turns: Mapping[str, Turn]) -> Iterable[Undecided]:
    """Why turns, or surfaces in them, failed: one entry for all that failed alike."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for turn in turns.values():
        for at, words in turn.failed.items():
            name = names[turn.id]
            alike[at or "database", words.replace(name, "…")].append(name)
    for (at, words), who in alike.items():
        told = words.replace("…", who[0]) if len(who) == 1 else f"{_listed(who)}: {words}"
        yield Undecided(*TURN, "read", at, told)
    if late := [name for id_, name in names.items() if id_ not in turns]:
        yield _said("database", "read", late, "had no turn before the run was stopped")


def _said(at: str, effect: Effect, who: Sequence[str], words: str) -> Undecided:
    return Undecided(*TURN, effect, at, f"{_listed(who)}: {words}")


def unknown(at: str, because: str) -> Undecided:
    """A surface on which nothing can be asked."""
    return Undecided(*TURN, "read", at, because)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    told = ", ".join(names[:NAMED])
    return f"{told} and {more:,} more" if more > 0 else told


def drifted(found: Iterable[Drift], alike: int) -> tuple[list[Undecided], list[Advice]]:
    """Where walls differ, what holds for the majority says nothing; other differences are told."""
    doubts, advice = [], []
    for one in found:
        who = _listed(one.tenants)
        because = f"not built as {alike:,} others are:\n{shown(one)}"
        at = f"schema {one.tenants[0]}" if len(one.tenants) == 1 else f"{len(one.tenants)} schemas"
        if one.walls:
            doubts.append(Undecided(*DRIFT, "latent", at, f"{who}: {because}"))
        else:
            fix = "run the migrations that these have missed"
            advice.append(Advice(*DRIFT, at, f"{who}: {because}", fix, explained(DRIFT[1])))
    return doubts, advice
