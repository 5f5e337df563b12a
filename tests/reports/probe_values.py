"""A probe's findings and reports as values."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from partywall.reports import probe_text
from partywall.reports.style import console_on
from partywall.survey.http.actors import Actor
from partywall.survey.http.recipe import HttpFinding, Recipe, Step
from partywall.survey.http.report import HttpReport, Open, Tried
from partywall.survey.http.wire import Request
from partywall.survey.verdict import State, WitnessStep

BASE = "http://127.0.0.1:8000"
ACME = Actor("acme", {"Authorization": "Bearer a-secret-of-acme"})
GLOBEX = Actor("globex", {"Authorization": "Bearer a-secret-of-globex"})

MADE = Step.of(
    GLOBEX,
    Request("POST", "/notes", media="application/json", body={"title": "pw{{fresh}}"}),
    {"note_id": "/id"},
)
NOTE = Request("GET", "/notes/{{note_id}}")
READ = Recipe(
    before=(MADE, Step.of(GLOBEX, NOTE)),
    attack=(Step.of(ACME, NOTE),),
    after=(Step.of(GLOBEX, Request("DELETE", "/notes/{{note_id}}")),),
    absent="pw{{fresh}}",
)
WITNESS = (
    WitnessStep(
        "globex",
        "",
        '200 OK application/json\n{"id": 7, "title": "pwg0a1b2c3d"}',
        f'curl -sS -i {BASE}/notes/7 -H "Authorization: $GLOBEX_AUTHORIZATION"',
    ),
    WitnessStep(
        "acme",
        "",
        '200 OK application/json\n{"id": 7, "title": "pwg0a1b2c3d"}',
        f'curl -sS -i {BASE}/notes/7 -H "Authorization: $ACME_AUTHORIZATION"',
    ),
)
FINDING = HttpFinding(
    code="PW401",
    name="others-id",
    layer="http",
    effect="read",
    at="GET /notes/{note_id}",
    attacker="acme",
    victim="globex",
    witness=WITNESS,
    because="acme got a note of globex by its id: the answer holds what globex wrote into it",
    fix="look the note up together with the caller's tenant, and answer 404 when there is none",
    url="https://example.test/findings#others-id",
    recipe=READ,
)
COUNTRIES = Open(
    "GET /countries",
    "nobody",
    "whoever has no credential gets the same 3 rows",
    (WitnessStep("nobody", "", "200 OK\n[]", f"curl -sS -i {BASE}/countries"),),
)
BOARD = Open("GET /boards/{id}", "globex", "acme's board is shown unless it is made private")


def tried(
    at: str, state: State = "held", attack: str = "others-id", mode: str = "note_id", **more: str
) -> Tried:
    """An attack by acme on globex."""
    parts = {"attacker": "acme", "victim": "globex", "because": ""} | more
    return Tried(at, parts["attacker"], parts["victim"], attack, mode, state, parts["because"])


def back(finding: HttpFinding = FINDING) -> HttpFinding:
    """The same the other way round."""
    return replace(finding, attacker=finding.victim, victim=finding.attacker)


def report(*findings: HttpFinding, every: tuple[Tried, ...] = ()) -> HttpReport:
    """A report with these findings, and *every* attack."""
    return HttpReport(
        findings=findings,
        undecided=(),
        excepted=(),
        advice=(),
        public=(),
        shared=(),
        tried=every or (tried("GET /notes/{note_id}", "breached" if findings else "held"),),
        controls={"proved": 12, "failed": 0},
        requests=1204,
        target=BASE,
        tenants=("acme", "globex"),
        seed=7,
        versions={"partywall": "0.1.0"},
        duration_s=12.34,
    )


def shown(found: HttpReport, *, width: int = 100, verbose: bool = False) -> str:
    """The text of a report as a pipe would get it."""
    page = StringIO()
    probe_text.show(found, console_on(page, width=width), verbose=verbose)
    return page.getvalue()
