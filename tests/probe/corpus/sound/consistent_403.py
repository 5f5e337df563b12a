"""403 for another tenant's id and for nobody's alike."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids

KEY = {"id": str, "label": str}
DESCRIPTION = described(
    "Keys",
    {
        "POST /keys": Told(body={"label": str}, gives=KEY, status=201),
        "GET /keys/{key_id}": Told(gives=KEY),
        "PUT /keys/{key_id}": Told(body={"label": str}, gives=KEY),
        "DELETE /keys/{key_id}": Told(gives=KEY),
    },
)


def case() -> Case:
    app, keys = flask_app("keys"), Shelf(uuids())

    def own(key_id: str) -> Row:
        if keys.owners.get(key_id) != caller():
            raise DeniedError(403, "you may not do this")
        return keys.rows[key_id]

    def label() -> str:
        new = request.get_json()
        if not isinstance(new.get("label"), str):
            raise DeniedError(400, "label: required")
        return str(new["label"])

    @app.post("/keys")
    def cut() -> tuple[Row, int]:
        return keys.add(caller(), label=label()), 201

    @app.get("/keys/<key_id>")
    def read(key_id: str) -> Row:
        return own(key_id)

    @app.put("/keys/<key_id>")
    def change(key_id: str) -> Row:
        found = own(key_id)
        found["label"] = label()
        return found

    @app.delete("/keys/<key_id>")
    def delete(key_id: str) -> Row:
        found = own(key_id)
        keys.drop(key_id)
        return found

    return Case(app, bearers("acme", "globex"), openapi=DESCRIPTION, existence="secret")


def truth(a: Client, b: Client) -> None:
    at = f"/keys/{got(a.post('/keys', json={'label': 'x'}))['id']}"
    for path in (at, "/keys/nobodys"):
        assert b.get(path).status_code == b.delete(path).status_code == 403
        assert b.put(path, json={"label": "y"}).status_code == 403
    assert got(a.get(at))["label"] == "x"
