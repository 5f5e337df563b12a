"""Findings and reports as values, where a real survey would only say less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import StringIO

from partywall.model import Isolation, Ownership, TenancyModel
from partywall.reports import text
from partywall.reports.style import console_on
from partywall.survey.attack import Effect
from partywall.survey.identity import Identity, Who
from partywall.survey.verdict import Finding, Report, State, WitnessStep

GLOBEX = "22222222-2222-4222-8222-222222222222"
FINDING = Finding(
    code="PW201",
    name="read-rows",
    layer="sql",
    effect="read",
    at="public.invoices",
    attacker="acme",
    victim="globex",
    witness=(WitnessStep("acme", "SELECT * FROM public.invoices", f"{GLOBEX}, 120.00"),),
    because="rows of another tenant came back",
    fix="ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY",
    url="https://example.test/findings#read-rows",
)
MODEL = TenancyModel(
    Isolation.ROW_SECURITY,
    {"public.invoices": Ownership("column", "org_id", reason="org_id holds the tenant")},
    {"public.plans": "no column leads to a tenant"},
    ("app.org_id",),
    logins=("app",),
)


def identity(who: Who, name: str, tenant: str) -> Identity:
    return Identity(who, name, tenant, "app", "app", None, "shop", ())


IDENTITIES: Mapping[Who, Identity] = {
    "A": identity("A", "acme", "1"),
    "B": identity("B", "globex", GLOBEX),
}


def report(*findings: Finding, cells: Mapping[tuple[str, Effect], State] | None = None) -> Report:
    """A report with these findings; their cells are breached, *cells* are added."""
    known: dict[tuple[str, str], State] = {("public.invoices", "read"): "held"}
    if cells is not None:
        known = {(at, effect): state for (at, effect), state in cells.items()}
    known |= {(finding.at, finding.effect): "breached" for finding in findings}
    return Report(
        findings=findings,
        undecided=(),
        advice=(),
        excepted=(),
        cells=known,
        layers={},
        controls={"proved": 12, "failed": 0},
        attempts=30,
        place="copy",
        attacker="query",
        target="127.0.0.1:5432/shop",
        versions={"postgresql": "150020"},
        duration_s=1.25,
        model=MODEL,
        identities=IDENTITIES,
    )


def on(at: str, finding: Finding = FINDING) -> Finding:
    """The same finding on another surface."""
    return replace(finding, at=at)


def shown(found: Report, *, width: int = 80, verbose: bool = False) -> str:
    """The text of a report as a pipe would get it."""
    page = StringIO()
    text.show(found, console_on(page, width=width), verbose=verbose)
    return page.getvalue()
