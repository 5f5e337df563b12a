"""The list of a workspace is given to whoever names it; only single patients are checked."""

from __future__ import annotations

from typing import Any

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Shelf, bearers, got, uuids

PATIENT = {"id": str, "fullName": str, "complaint": str}
DESCRIPTION = described(
    "Practice",
    {
        "POST /w/{workspace}/patients": Told(
            body={"fullName": str, "complaint?": str}, gives=PATIENT, status=201
        ),
        "GET /w/{workspace}/patients": Told(gives={"items": [PATIENT], "total": int}),
        "GET /w/{workspace}/patients/{patient_id}": Told(gives=PATIENT),
    },
)


def case() -> Case:
    app, patients = flask_app("practice"), Shelf(uuids())

    def member(workspace: str) -> str:
        tenant = caller()
        if tenant != workspace:
            raise DeniedError(403, "you are no member of this workspace")
        return tenant

    @app.post("/w/<workspace>/patients")
    def admit(workspace: str) -> tuple[dict[str, Any], int]:
        tenant, new = member(workspace), request.get_json()
        if not isinstance(new.get("fullName"), str):
            raise DeniedError(422, "fullName must be a text")
        name, complaint = new["fullName"], str(new.get("complaint", ""))
        return patients.add(tenant, fullName=name, complaint=complaint), 201

    @app.get("/w/<workspace>/patients")
    def every(workspace: str) -> dict[str, Any]:
        caller()
        if workspace not in ("north", "south"):
            raise DeniedError(403, "you are no member of this workspace")
        found = patients.of(workspace)
        return {"items": found, "total": len(found)}

    @app.get("/w/<workspace>/patients/<patient_id>")
    def read(workspace: str, patient_id: str) -> dict[str, Any]:
        return patients.own(member(workspace), patient_id)

    return Case(
        app,
        bearers("north", "south", workspace=("north", "south")),
        leaks=frozenset({("GET /w/{workspace}/patients", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/w/north/patients", json={"fullName": "Ann", "complaint": "secret"}))
    assert b.get(f"/w/north/patients/{made['id']}").status_code == 403
    assert got(b.get("/w/north/patients"))["items"] == [made]
