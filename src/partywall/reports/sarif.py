"""SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.

A breach is a result of kind `fail`; what is undecided one of kind `open`, or `review` where only a
person can say whether it is meant so; what the configuration accepts carries its suppression, and
so does what the baseline has, as a `note`. What held is counted in the run's properties: a file
without results says that nothing was found, and its properties say in how much.

A wall has no line in a file. Each result names its surface as a logical location, and as artifact,
which GitHub demands, the file that declares the survey. GitHub takes results of one rule in one
line for one alert, unless `primaryLocationLineHash` tells them apart:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from partywall import __version__
from partywall.reports.rules import rule
from partywall.reports.severity import SEVERITIES
from partywall.survey.fingerprint import VERSION, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.reports.overview import Breach, Doubt, Overview
    from partywall.reports.rules import Rule
    from partywall.survey.verdict import Excepted, Finding

Json: TypeAlias = "dict[str, Any]"

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
HOME = "https://github.com/partywall/partywall"
KNOWN: Json = {
    "kind": "external",
    "status": "accepted",
    "justification": "known by the baseline, and still to be mended",
}
UNDECIDED = "partywall-undecided"
"""The tag of what nothing can be said about."""


def written(found: Overview) -> str:
    """The report as a SARIF file."""
    return dumps(log(found), indent=2, ensure_ascii=False) + "\n"


def log(found: Overview) -> Json:
    """The report as a SARIF log with one run."""
    rules = _rules(found)
    numbers = {code: number for number, code in enumerate(rules)}
    results = list(_results(found))
    for result in results:
        result["ruleIndex"] = numbers[result["ruleId"]]
    driver = {
        "name": "partywall",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": [_descriptor(one) for one in rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"partywall/{found.command}/"},
        "invocations": [_invocation(found)],
        "artifacts": [{"location": {"uri": _uri(found.source)}}],
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": _properties(found),
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules(found: Overview) -> dict[str, Rule]:
    """Code -> rule, of everything that has a result, in the order of codes."""
    findings = [one.finding for one in (*found.breaches, *found.known)]
    findings += [one.finding for one in found.excepted]
    rules = {f.code: rule(found.command, f.code, f.name, f.url) for f in findings}
    for doubt in (*found.doubts, *found.known_doubts):
        rules.setdefault(doubt.code, rule(found.command, doubt.code, doubt.name))
    return dict(sorted(rules.items()))


def _results(found: Overview) -> Iterator[Json]:
    """Everything that is told, what fails the run first.

    Either all results say what suppresses them and how they compare with a baseline, or none does
    (3.27.23, 3.27.24). An accepted finding is no news: its state is that of what is known.
    """
    fresh = [_breach(found, one) for one in found.breaches]
    fresh += [_doubt(found, one) for one in found.doubts]
    accepted = [_excepted(found, one) for one in found.excepted]
    known = [_breach(found, one) | {"level": "note"} for one in found.known]
    known += [_doubt(found, one) for one in found.known_doubts]
    known = [one | {"suppressions": [KNOWN]} for one in known]
    for state, results in {"new": fresh, "unchanged": accepted + known}.items():
        for result in results:
            compared = {"baselineState": state} if found.compared else {}
            yield {"suppressions": []} | result | compared


def _descriptor(one: Rule) -> Json:
    severity = SEVERITIES[one.effect] if one.effect else SEVERITIES["latent"]
    return {
        "id": one.code,
        "name": "".join(word.capitalize() for word in one.name.split("-")),
        "shortDescription": {"text": one.summary},
        "fullDescription": {"text": one.summary},
        "help": {"text": one.doc, "markdown": f"{one.doc}\n\n[{one.name}]({one.url})"},
        "helpUri": one.url,
        "defaultConfiguration": {"level": severity.level},
        "properties": {
            "tags": ["security", "multi-tenancy"],
            "precision": "very-high",
            "security-severity": severity.score,
        },
    }


def _invocation(found: Overview) -> Json:
    """How the run ended; what it left out, and what is to tidy up, is a notification."""
    told = [*found.left, *found.untried, *found.remarks]
    return {
        "executionSuccessful": True,
        "exitCode": found.exit_code,
        "exitCodeDescription": found.verdict,
        "toolExecutionNotifications": [
            {"level": "note", "message": {"text": one}} for one in told if one
        ],
    }


def _properties(found: Overview) -> Json:
    """What no result tells: how much held, by which controls."""
    return {
        "verdict": found.verdict,
        "target": found.target,
        "coverage": {layer: dict(counts) for layer, counts in found.layers.items()},
        "versions": dict(found.versions),
        **{name.lower(): value for name, value in found.facts},
    }


def _breach(found: Overview, one: Breach) -> Json:
    also = f" (also {one.also})" if one.also else ""
    who = f"{one.finding.attacker} attacks {one.finding.victim}{also}"
    result = _result(found, one.finding, who) | {
        "kind": "fail",
        "level": SEVERITIES[one.finding.effect].level,
    }
    return result | ({"codeFlows": [_flow(one)]} if one.finding.witness else {})


def _excepted(found: Overview, one: Excepted) -> Json:
    until = {"properties": {"until": one.until}} if one.until else {}
    suppression = {"kind": "external", "status": "accepted", "justification": one.because}
    who = f"{one.finding.attacker} attacks {one.finding.victim}"
    return _result(found, one.finding, who) | {
        "kind": "fail",
        "level": SEVERITIES[one.finding.effect].level,
        "suppressions": [suppression | until],
    }


def _doubt(found: Overview, one: Doubt) -> Json:
    """Its level is `none`, as that of all results that are no failures: section 3.27.10."""
    return {
        "ruleId": one.code,
        "kind": "review" if one.meant else "open",
        "level": "none",
        "message": {"text": f"{one.at}: undecided, {one.column}. {one.because}"},
        "locations": [_location(found, one.at)],
        "partialFingerprints": _fingerprints(one.fingerprint),
        "properties": {"tags": [UNDECIDED]},
    }


def _result(found: Overview, finding: Finding, who: str) -> Json:
    fix = f"\nFix: {finding.fix}" if finding.fix else ""
    told = f"{finding.at}: {finding.effect}. {finding.because}. {who}.{fix}"
    return {
        "ruleId": finding.code,
        "message": {"text": told},
        "locations": [_location(found, finding.at)],
        "partialFingerprints": _fingerprints(fingerprint(finding)),
        "properties": {
            "effect": finding.effect,
            "attacker": finding.attacker,
            "victim": finding.victim,
            "layer": finding.layer,
            "fix": finding.fix,
        },
    }


def _location(found: Overview, at: str) -> Json:
    artifact = {"uri": _uri(found.source), "index": 0}
    return {
        "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": at, "kind": found.noun}],
    }


def _fingerprints(key: str) -> dict[str, str]:
    return {f"partywall/v{VERSION}": key, "primaryLocationLineHash": f"{key}:1"}


def _flow(one: Breach) -> Json:
    """The witness, step by step; its locations have no file at all."""
    return {"threadFlows": [{"locations": list(_steps(one))}]}


def _steps(one: Breach) -> Iterator[Json]:
    for number, step in enumerate(one.finding.witness, 1):
        text = f"as {step.actor}:\n{step.request or step.sql}\n{step.returned}"
        yield {"location": {"message": {"text": text}}, "executionOrder": number}


def _uri(path: str) -> str:
    """A path as a URI reference; a colon in its first part would make a scheme of it."""
    return quote(path, safe="/:") if path.startswith("file:") else quote(path)
