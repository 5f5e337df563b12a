"""With a sort order the query is made anew, and its filter is forgotten."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import Answer, Response, caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids

LEAD = {"id": str, "company": str, "remark": str}
DESCRIPTION = described(
    "Leads",
    {
        "POST /leads": Told(body={"company": str, "remark?": str}, status=204),
        "GET /leads": Told(query={"sort": str}, gives=[LEAD]),
    },
)


def case() -> Case:
    app, leads = flask_app("leads"), Shelf(uuids())

    @app.post("/leads")
    def add() -> Answer:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("company"), str):
            raise DeniedError(400, "company is missing")
        leads.add(tenant, company=new["company"], remark=str(new.get("remark", "")))
        return Response(status=204)

    @app.get("/leads")
    def every() -> list[Row]:
        found, field = leads.of(caller()), request.args.get("sort", "").removeprefix("-")
        if field in LEAD:
            found = sorted(leads.all(), key=lambda one: str(one[field]))
        return found

    return Case(
        app,
        bearers("initech", "umbrella"),
        leaks=frozenset({("GET /leads", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    got(a.post("/leads", json={"company": "secret"}))
    assert got(b.get("/leads")) == []
    assert got(b.get("/leads", params={"sort": "company"})) == got(a.get("/leads"))
