"""The pytest plugin within a project's own suite: real applications, served and probed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import httpcore  # noqa: F401 - httpx loads it late, and knows the errors of the first one only
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

import partywall.survey.http.suite  # noqa: F401 - else each run of pytester loads it anew
from partywall.errors import ConfigurationError
from partywall.pytest_plugin import assert_isolated
from tests.blocks import blocks

if TYPE_CHECKING:
    from starlette.requests import Request

pytest_plugins = ["pytester"]

SHOP = '''
"""Notes of companies: one operation leaks, one never works."""
from itertools import count
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

PEOPLE = {"Bearer a": "acme", "Bearer g": "globex"}


class Company(BaseModel):
    company: str


class New(BaseModel):
    title: str


class Note(New):
    id: int


def create_app(leaks: bool = True):
    app, ids, notes = FastAPI(), count(1), {}

    def company(authorization):
        if authorization not in PEOPLE:
            raise HTTPException(401)
        return PEOPLE[authorization]

    @app.post("/notes", status_code=201)
    def create(new: New, authorization: Annotated[str, Header()] = "") -> Note:
        note = Note(id=next(ids), title=new.title)
        notes[note.id] = company(authorization), note
        return note

    @app.get("/notes/{note_id}")
    def shown(note_id: int, authorization: Annotated[str, Header()] = "") -> Note:
        owner, note = notes.get(note_id, ("", None))
        if note is None or (company(authorization) != owner and not leaks):
            raise HTTPException(404)
        return note

    @app.get("/reports/{report_id}")
    def report(report_id: int) -> Note:
        raise HTTPException(404)

    @app.post("/sign-up")
    def sign_up(new: Company) -> dict[str, str]:
        return {"token": new.company[0]}

    return app


sound, leaky = create_app(leaks=False), create_app()
'''
TENANTS = """
[tenants.acme]
headers = { Authorization = "Bearer a" }
[tenants.globex]
headers = { Authorization = "Bearer g" }
own = { company = 7 }
"""
PAGE = "how-to/pytest.md"
OPERATIONS, CONFTEST, OWN, WHOLE = blocks(PAGE, "python")[-4:]
COLLECTED = [
    "test_isolation[POST /notes: other tenant held]",
    "test_isolation[GET /notes/{note_id}: other tenant held]",
    "test_isolation[GET /reports/{report_id}: other tenant held]",
    "test_isolation[POST /sign-up: other tenant held]",
]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with an application and one test function."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    pytester.makepyfile(shop=SHOP, test_isolation=OPERATIONS)
    return pytester


def configured(project: pytest.Pytester, api: str, tenants: str = TENANTS) -> None:
    (project.path / "partywall.toml").write_text(f"[api]\n{api}\n{tenants}")


def collected(project: pytest.Pytester) -> list[str]:
    result = project.runpytest("--collect-only", "-q", "-p", "no:cacheprovider")
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


# Which tests there are -----------------------------------------------------------------------


def test_one_test_an_operation_by_the_configuration(project: pytest.Pytester) -> None:
    configured(project, 'app = "shop:create_app"')
    assert collected(project) == COLLECTED


def test_the_configuration_may_stand_in_pyproject_toml(project: pytest.Pytester) -> None:
    project.makepyprojecttoml('[tool.partywall.api]\napp = "shop:sound"')
    assert collected(project) == COLLECTED


@pytest.mark.parametrize("kind", ["return", "yield"])
def test_one_test_an_operation_by_a_fixture(project: pytest.Pytester, kind: str) -> None:
    project.makeconftest(
        "import pytest, shop\n"
        "@pytest.fixture(scope='session')\n"
        f"def partywall_app():\n    {kind} shop.sound\n"
    )
    assert collected(project) == COLLECTED


def test_a_description_says_them_where_the_application_needs_fixtures(
    project: pytest.Pytester,
) -> None:
    project.makeconftest(
        "import pytest, shop\n"
        "@pytest.fixture(scope='session')\n"
        "def partywall_app(tmp_path_factory):\n    return shop.sound\n"
    )
    result = project.runpytest("--collect-only")
    result.stdout.fnmatch_lines(
        ["*the fixture partywall_app takes tmp_path_factory, and tests are collected before*"]
    )
    (project.path / "openapi.yaml").write_text("openapi: 3.1.0\npaths: {/notes: {get: {}}}")
    configured(project, 'openapi = "openapi.yaml"', tenants="")
    assert collected(project) == ["test_isolation[GET /notes: other tenant held]"]


def test_a_description_that_the_application_itself_serves(project: pytest.Pytester) -> None:
    configured(project, 'app = "shop:sound"')
    project.makeconftest(
        "import pytest\nfrom partywall.survey.http.settings import ApiSettings\n"
        "@pytest.fixture(scope='session')\n"
        "def partywall_settings():\n"
        "    return ApiSettings(app='shop:sound', openapi='/openapi.json')\n"
    )
    assert collected(project) == COLLECTED


def test_workers_of_xdist_can_leave_them_to_one(project: pytest.Pytester) -> None:
    configured(project, 'app = "shop:sound"')
    items, _ = project.inline_genitems()
    marks = [item.get_closest_marker("xdist_group") for item in items]
    assert [mark.args for mark in marks if mark] == [("partywall",)] * len(COLLECTED)


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ("", "*nothing says which operations the API has*"),
        ('app = "nowhere:app"', "*nowhere:app could not be imported: ModuleNotFoundError*"),
        ("ap = 1", "*api* has unknown keys: ap*"),
    ],
)
def test_a_configuration_that_does_not_work_is_an_error(
    project: pytest.Pytester, api: str, message: str
) -> None:
    configured(project, api)
    result = project.runpytest("-q")
    result.stdout.fnmatch_lines([message])
    result.assert_outcomes(errors=1)


def test_a_project_that_does_not_use_it_loads_nothing_for_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\n"
        "def test_it():\n"
        "    heavy = {'httpx', 'uvicorn', 'schemathesis', 'hypothesis', 'sqlalchemy', 'psycopg'}\n"
        "    ours = ('partywall.survey', 'partywall.reports', 'partywall.isolation')\n"
        "    assert not {name for name in sys.modules if name.startswith(ours)}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    alone = ["-W", "error", "-p", "no:hypothesispytest", "-p", "no:schemathesis", "-p", "no:xdist"]
    pytester.runpytest_subprocess(*alone).assert_outcomes(passed=1)


# How they end --------------------------------------------------------------------------------


def test_each_operation_ends_as_the_probe_found(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST)
    result = project.runpytest("-rA", "-W", "error")
    result.assert_outcomes(passed=1, failed=2, skipped=1)
    *_, shown = blocks(PAGE, "text")
    for line in shown.splitlines():  # a CI server is shown the reason in the same line
        assert any(each.startswith(line) for each in result.outlines), line
    result.stdout.fnmatch_lines_random(
        [
            "GET /notes/{note_id}: breached",
            "*curl *http://127.0.0.1:*/notes/* -H *$ACME_AUTHORIZATION*",
            "GET /reports/{report_id}: undecided",
            "SKIPPED * left out: its name says that it ends sessions*",
        ]
    )
    assert "Bearer" not in result.stdout.str()


def test_the_tenants_signed_in(project: pytest.Pytester) -> None:
    configured(project, 'app = "shop:sound"')
    project.makepyfile(
        test_isolation=OWN,
        test_more="def test_own(tenants):\n    assert tenants['globex'].own == {'company': 7}",
    )
    project.runpytest("-W", "error").assert_outcomes(passed=2)


PEOPLE = {name: {"headers": {"Authorization": f"Bearer {name[0]}"}} for name in ("acme", "globex")}


def notes() -> Starlette:
    """Notes that each owner lists and is shown, and nobody else."""
    owners = {"1": "Bearer a", "2": "Bearer g"}

    def listed(request: Request) -> JSONResponse:
        who = request.headers.get("authorization")
        mine = [{"id": one} for one, of in owners.items() if of == who]
        return JSONResponse(mine, 200 if mine else 401)

    def shown(request: Request) -> JSONResponse:
        one = request.path_params["note_id"]
        held = owners.get(one) == request.headers.get("authorization")
        return JSONResponse({"id": one} if held else {}, 200 if held else 404)

    return Starlette(routes=[Route("/notes", listed), Route("/notes/{note_id}", shown)])


def test_assert_isolated_gives_the_report_of_what_held() -> None:
    report = assert_isolated(notes(), PEOPLE)
    assert (report.verdict, report.tenants) == ("held", ("acme", "globex"))


def test_assert_isolated_is_one_test_of_all(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST)
    project.makepyfile(test_isolation=WHOLE)
    project.runpytest("-W", "error").assert_outcomes(passed=1)


@pytest.mark.usefixtures("project")
def test_assert_isolated_fails_with_the_requests_that_show_it() -> None:
    breached = r"^breached\n\nGET /notes/\{note_id\}: read by"
    with pytest.raises(AssertionError, match=breached) as found:
        assert_isolated("shop:leaky", PEOPLE, deny=("GET /reports/*",))
    assert "curl -sS -i http://127.0.0.1:" in str(found.value)


def test_assert_isolated_does_not_take_undecided_for_held() -> None:
    app = Starlette(routes=[Route("/reports/{report_id}", lambda _: JSONResponse({}, 404))])
    with pytest.raises(
        AssertionError, match=r"^undecided\n\nGET /reports/\{report_id\}: undecided"
    ):
        assert_isolated(app, PEOPLE)
    assert assert_isolated(app, PEOPLE, undecided=True).verdict == "undecided"


@pytest.mark.parametrize(
    ("tenants", "message"),
    [
        ({"acme": PEOPLE["acme"]}, r"only \[tenants.acme\] has credentials"),
        ({"acme": {"header": {}}}, "the tenant acme must be a dict with some of base, cookies"),
        ({"acme": PEOPLE["acme"], "globex": PEOPLE["acme"]}, "have the same credentials"),
    ],
)
def test_assert_isolated_wants_two_tenants(tenants: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        assert_isolated(notes(), tenants)
