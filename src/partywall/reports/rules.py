"""What an attack or a check is, in its own words, for reports that explain their rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from partywall.survey.verdict import explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.reports.overview import Command
    from partywall.survey.attack import Attack, Effect
    from partywall.survey.check import Check
    from partywall.survey.explaining.further import FurtherAttack
    from partywall.survey.http.attempt import Attack as HttpAttack


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for.

    Attributes:
        effect: the usual one; None where there is none.
    """

    code: str
    name: str
    summary: str
    doc: str
    url: str
    effect: Effect | None = None


def rule(command: Command, code: str, name: str, url: str = "") -> Rule:
    """What *code* stands for; what isn't known is its name."""
    known = _known(command).get(name)
    if known is not None:
        return replace(known, code=code, url=url or known.url)
    told = _elsewhere().get(name, name.replace("-", " "))
    summary = told.partition("\n\n")[0]
    return Rule(code, name, summary, told, url or explained(name))


@cache
def _elsewhere() -> Mapping[str, str]:
    """What stands in no module of its own: comparisons, and ways to stay undecided."""
    from partywall.survey.explaining.pages import pages  # noqa: PLC0415 - every attack: 0.3 s

    return {one.name: "\n\n".join([one.summary, *one.hazard, one.fix]) for one in pages()}


@cache
def _known(command: Command) -> Mapping[str, Rule]:
    from partywall.survey.attacks import every_attack  # noqa: PLC0415 - one of them is enough
    from partywall.survey.checks import every_check  # noqa: PLC0415 - as above
    from partywall.survey.http.attacks import every_attack as every_http_attack  # noqa: PLC0415

    asked = {one.name: _rule(one) for one in every_http_attack()}
    if command == "probe":
        return asked
    checks = {one.name: _rule(one) for one in every_check()}
    audited = checks | {one.name: _rule(one) for one in every_attack()}
    if command == "audit":
        return audited
    from partywall.survey.explaining.further import further_attacks  # noqa: PLC0415 - as above

    further = {one.name: _rule(one) for many in further_attacks().values() for one in many}
    return audited | asked | further


def _rule(one: Attack | Check | HttpAttack | FurtherAttack) -> Rule:
    summary = " ".join(one.doc.partition("\n\n")[0].split())
    return Rule(one.code, one.name, summary, one.doc, explained(one.name), one.effect)
