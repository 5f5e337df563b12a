"""SQLite compares the id with LIKE, but looks for its owner with `=`: `%` is everybody's."""

from __future__ import annotations

import sqlite3

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, bearers, got, prefixed

SAMPLE = {"id": str, "substance": str}
DESCRIPTION = described(
    "Laboratory",
    {
        "POST /samples": Told(body={"substance": str}, gives=SAMPLE, status=201),
        "GET /samples": Told(gives={"samples": [SAMPLE]}),
        "GET /samples/{sample_id}": Told(gives={"samples": [SAMPLE]}),
    },
)


def case() -> Case:
    app, ids = flask_app("laboratory"), prefixed("smp")
    base = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    base.row_factory = sqlite3.Row
    base.execute("CREATE TABLE samples (id TEXT PRIMARY KEY, tenant TEXT, substance TEXT)")

    def found(where: str, *values: str) -> list[Row]:
        rows = base.execute(f"SELECT id, substance FROM samples WHERE {where}", values)
        return [dict(row) for row in rows]

    @app.post("/samples")
    def take() -> tuple[Row, int]:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("substance"), str):
            raise DeniedError(400, "substance: required")
        values = (next(ids), tenant, new["substance"])
        base.execute("INSERT INTO samples VALUES (?, ?, ?)", values)
        return found("id = ?", values[0])[0], 201

    @app.get("/samples")
    def every() -> Row:
        return {"samples": found("tenant = ?", caller())}

    @app.get("/samples/<sample_id>")
    def read(sample_id: str) -> Row:
        tenant = caller()
        foreign = found("id = ? AND tenant <> ?", sample_id, tenant)
        rows = found("id LIKE ?", sample_id)
        if foreign or not rows:
            raise DeniedError(404, "not found")
        return {"samples": rows}

    return Case(
        app,
        bearers("initech", "umbrella"),
        leaks=frozenset({("GET /samples/{sample_id}", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/samples", json={"substance": "secret"}))
    assert b.get(f"/samples/{made['id']}").status_code == 404
    assert got(b.get("/samples")) == {"samples": []}
    assert got(b.get("/samples/%25"))["samples"] == [made]
