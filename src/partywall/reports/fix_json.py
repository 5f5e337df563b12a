"""What `partywall fix --format json` writes: one document, described by `fix.schema.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.reports import json
from partywall.reports.migration import script

if TYPE_CHECKING:
    from partywall.reports.json import Document
    from partywall.survey.mending.access import Access
    from partywall.survey.mending.trial import Applied, Proposal

VERSION = 1
"""Of the schema: it grows when a key goes or changes its meaning."""


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of `document`."""
    return json.described("fix")


def document(proposal: Proposal, applied: Applied | None = None) -> Document:
    """A migration, and what came of it where it was applied."""
    plan, after = proposal.migration, applied.after if applied else proposal.after
    return {
        "schema_version": VERSION,
        "target": proposal.before.report.target,
        "applied": applied is not None,
        "verdict": (after if applied else proposal.before).report.verdict,
        "statements": [
            {
                "sql": mend.statement,
                "of_server": mend.of_server,
                "mends": [
                    {"code": code, "name": name, "at": at}
                    for code, name, at in dict.fromkeys(
                        (f.code, f.name, f.at) for f in mend.findings
                    )
                ],
            }
            for mend in plan.mends
        ],
        "script": script(proposal),
        "remaining": [
            json.finding(f) for f in (after.report.findings if applied else proposal.remaining)
        ],
        "refused": [{"sql": r.mend.statement, "because": r.because} for r in plan.refusals],
        "lost": [access(one) for one in (applied or proposal).lost],
    }


def access(one: Access) -> Document:
    """What a tenant could do with its own."""
    return {"tenant": one.tenant, "way": one.way, "at": one.at}
