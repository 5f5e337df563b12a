"""What one answer of a GraphQL endpoint proves, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attempt
from partywall.survey.http.report import Open

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.http.attempt import Attack
    from partywall.survey.http.gql.ground import Ground
    from partywall.survey.http.recipe import Recipe
    from partywall.survey.http.resources import Exchange
    from partywall.survey.verdict import WitnessStep


def leaked(ground: Ground, attacker: str, victim: str, done: Exchange) -> list[str]:
    """What of the victim's came back that the attacker didn't send."""
    ledger = ground.engine.world.ledger
    return ledger.leaked(victim, attacker, done.request.text, done.answer.all)


async def public(
    ground: Ground, name: str, victim: str, done: Exchange, found: Sequence[str]
) -> bool:
    """Whether it is declared, or nobody at all is shown the same: reported apart."""
    engine, at = ground.engine, ground.endpoint.operation.at
    if engine.declared(ground.endpoint.operation):
        engine.public.setdefault(at, Open(at, "nobody", "declared", (), declared=True))
        return True
    again = await ground.endpoint.send("nobody", done.request.body)
    seen = [one for one in leaked(ground, "nobody", victim, again) if one in found]
    if seen:
        because = f"{name}: without any credential {seen[0]} of {victim} is shown"
        engine.public.setdefault(at, Open(at, "nobody", because, (engine.step(again, seen[0]),)))
    return bool(seen)


def breach(
    ground: Ground,
    direction: tuple[str, str],
    attack: Attack,
    name: str,
    mode: str,
    effect: Effect,
    proof: tuple[str, Sequence[WitnessStep], Recipe | None],
) -> None:
    """A breach by one field of the schema; each field is a finding of its own."""
    engine, operation = ground.engine, ground.endpoint.operation
    ground.endpoint.proven.add((name, effect))
    because, witness, recipe = proof
    attempt, told = Attempt(f"{name}: {mode}"), f"{name}: {because} ({mode})"
    found = engine.breach(
        operation, *direction, attack, attempt, effect, told, *witness, recipe=recipe
    )
    engine.findings.pop((operation.at, attack.name, effect))
    engine.findings.setdefault((f"{operation.at} {name}", attack.name, effect), found)
