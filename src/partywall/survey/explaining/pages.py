"""The page of every finding, by name and by code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from partywall.errors import ConfigurationError
from partywall.survey.attacks import every_attack
from partywall.survey.checks import every_check
from partywall.survey.explaining.applications import APPLICATIONS, ONE_LOGIN, SHOP
from partywall.survey.explaining.docstrings import parts
from partywall.survey.explaining.further import further_attacks
from partywall.survey.explaining.undecided import API, DATABASE, FURTHER
from partywall.survey.fleet.judging import DRIFT
from partywall.survey.http import compared
from partywall.survey.http.attacks import every_attack as every_http_attack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.attack import Attack, Effect, Level
    from partywall.survey.check import Check
    from partywall.survey.explaining.applications import Application
    from partywall.survey.explaining.further import FurtherAttack
    from partywall.survey.explaining.undecided import Open
    from partywall.survey.http.attempt import Attack as HttpAttack

Kind: TypeAlias = Literal[
    "attack", "check", "advice", "attack on an API", "comparison", "attack on a pool",
    "attack on a cache", "attack on jobs", "attack on sockets", "attack on objects", "undecided",
]  # fmt: skip

ON: Mapping[str, Kind] = {
    "pool": "attack on a pool",
    "cache": "attack on a cache",
    "jobs": "attack on jobs",
    "sockets": "attack on sockets",
    "objects": "attack on objects",
}
"""What the attacks of a further layer are, by its name."""

COMPARED: Mapping[tuple[str, str], tuple[str, str, str]] = {
    compared.EXISTENCE: (
        "Compare the answer for another tenant's id with the answer for one that nobody has.",
        (
            "A 403 for the one and a 404 for the other tell that the id exists, and so do other "
            "words, or another length. Whether that is a finding says `[api] existence`."
        ),
        compared.EXISTENCE_FIX,
    ),
    compared.UNIQUE: (
        "Give an own object a value that one of another tenant has.",
        "A 409 for a value that only another tenant has tells that it has it.",
        compared.UNIQUE_FIX,
    ),
    compared.TIME: (
        "Compare how long the answers take for another tenant's id and for one that nobody has.",
        (
            "An API that looks something up before it refuses takes longer where there is "
            "something. It is asked for only by `--timing`, and judged by the test of Mann and "
            "Whitney, twice."
        ),
        compared.TIME_FIX,
    ),
}
"""What is compared beside the attacks on an API: in one sentence, why it matters, the fix."""

CASE = re.compile(r"\S+\.py\b")
"""How an example begins that the tests have a file for."""

DRIFT_ASKED = "Compare the structure of each tenant's schema with that of the majority."
DRIFT_HAZARD = (
    "A schema that lacks a migration, or has one too many, is a place where what holds for all "
    "others need not hold. It is asked with `--all-tenants`. Where the walls themselves differ, "
    "the schema is undecided, which fails the run."
)
DRIFT_FIX = "Bring the schema to the revision of the others."


@dataclass(frozen=True, slots=True)
class Example:
    """A case that breaches or one that holds, as the tests execute it.

    Attributes:
        text: SQL that changes *application*; for an API the requests, a line each; for a further
            layer what its tests read: settings, commands.
        application: what is changed; None for an API, and where nothing but the server counts.
        case: for an API where the tests have it: ``faults/read_by_id: GET /invoices/{id}``.
    """

    text: str
    application: Application | None = None
    case: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What a finding is about.

    Attributes:
        summary: one sentence: what is tried or asked.
        hazard: why it matters, a paragraph each.
        affected: whom it concerns.
        sources: where it is described, with the address.
    """

    code: str
    name: str
    kind: Kind
    effect: Effect
    level: Level | None
    summary: str
    hazard: tuple[str, ...]
    affected: str
    breaches: tuple[Example, ...]
    holds: tuple[Example, ...]
    fix: str
    sources: tuple[str, ...]


@cache
def pages() -> tuple[Page, ...]:
    """Every page: attacks on a database, checks, attacks on an API and further, what is open."""
    compared = [
        Page(code, name, "comparison", "detect", None, summary, (hazard,),
             "APIs whose ids, or names, others may learn or guess.", (), (), _sentence(fix),
             ("https://cwe.mitre.org/data/definitions/203.html",))
        for (code, name), (summary, hazard, fix) in COMPARED.items()
    ]  # fmt: skip
    code, name = DRIFT
    drift = Page(
        code, name, "advice", "latent", None, DRIFT_ASKED, (DRIFT_HAZARD,),
        "Whoever has a schema for each tenant.", (), (), DRIFT_FIX,
        ("https://www.postgresql.org/docs/current/ddl-schemas.html",),
    )  # fmt: skip
    asked = sorted(every_check(), key=lambda check: check.hygiene)
    return (
        *(_of_attack(one) for one in every_attack()),
        *(_of_check(one) for one in asked),
        drift,
        *sorted([*(_of_request(one) for one in every_http_attack()), *compared],
                key=lambda page: page.code),
        *(_of_further(ON[layer], one) for layer, many in further_attacks().items() for one in many),
        *(_of_open(one) for one in (*DATABASE, *API, *FURTHER)),
    )  # fmt: skip


def page(name: str) -> Page:
    """The page of the finding *name*, or of that code; capitals and underscores don't matter.

    Raises:
        ConfigurationError: there is none; the message says what may be meant.
    """
    wanted = name.strip().lower().replace("_", "-")
    found: dict[str, Page] = {}
    for one in pages():
        found[one.name] = one
        found.setdefault(one.code.lower(), one)  # of those that share one the first
    if wanted in found:
        return found[wanted]
    near = get_close_matches(wanted, [one.name for one in pages()], n=3, cutoff=0.5)
    hint = f": did you mean {' or '.join(near)}?" if near else ";"
    message = f"no finding is called {name!r}{hint} `partywall explain` lists all of them"
    raise ConfigurationError(message)


def _of_attack(one: Attack) -> Page:
    summary, hazard, sections = parts(one.doc)
    named = sections.get("Applications", f"{ONE_LOGIN.name}, {ONE_LOGIN.name}").split(", ")
    leaky, sound = (APPLICATIONS[name] for name in named)
    return Page(
        one.code, one.name, "attack", one.effect, one.level, summary, hazard, sections["Affected"],
        (Example(sections["Breaches"], leaky),), (Example(sections["Holds"], sound),),
        sections["Fix"], _sources(sections["Source"]),
    )  # fmt: skip


def _of_check(one: Check) -> Page:
    summary, hazard, sections = parts(one.doc)
    kind: Kind = "advice" if one.hygiene else "check"
    fires, silent = (
        tuple(Example(line, SHOP) for line in one.examples(name)) for name in ("Fires", "Silent")
    )
    return Page(
        one.code, one.name, kind, one.effect, one.level, summary, hazard, sections["Affected"],
        fires, silent, sections["Fix"], _sources(sections["Source"]),
    )  # fmt: skip


def _of_open(one: Open) -> Page:
    return Page(
        one.code, one.name, "undecided", one.effect, None, one.summary, (one.hazard,),
        one.affected, (), (), one.fix, (one.source,),
    )  # fmt: skip


def _of_request(one: HttpAttack) -> Page:
    summary, hazard, sections = parts(one.doc)
    return Page(
        one.code, one.name, "attack on an API", one.effect, None, summary, hazard,
        sections["Affected"], (_requests(sections["Breaches"]),), (_requests(sections["Holds"]),),
        _sentence(one.fix), (" ".join(sections["Source"].split()),),
    )  # fmt: skip


def _of_further(kind: Kind, one: FurtherAttack) -> Page:
    summary, hazard, sections = parts(one.doc)
    return Page(
        one.code, one.name, kind, one.effect, None, summary, hazard, sections["Affected"],
        (_further_example(sections["Breaches"]),), (_further_example(sections["Holds"]),),
        sections.get("Fix") or _sentence(one.fix), _sources(sections["Source"]),
    )  # fmt: skip


def _further_example(section: str) -> Example:
    """Settings or commands; or as for an API a file of the tests, and what happens with it."""
    return _requests(section) if CASE.match(section) else Example(section)


def _requests(section: str) -> Example:
    case, _, lines = section.partition("\n")
    return Example(lines, case=case)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _sources(section: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in section.splitlines() if line.strip())
