"""A page that is longer than the caller's own photos is filled up with others'."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed

PHOTO = {"id": str, "caption": str}
DESCRIPTION = described(
    "Photos",
    {
        "POST /photos": Told(body={"caption": str}, gives=PHOTO, status=201),
        "GET /photos": Told(query={"page": int, "per_page": int}, gives={"photos": [PHOTO]}),
        "GET /photos/{id}": Told(gives=PHOTO),
    },
)


def case() -> Case:
    app, photos = flask_app("photos"), Shelf(prefixed("ph"))

    @app.post("/photos")
    def take() -> tuple[Row, int]:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("caption"), str):
            raise DeniedError(400, "caption: a text is required")
        return photos.add(tenant, caption=new["caption"]), 201

    @app.get("/photos")
    def page() -> Row:
        tenant = caller()
        number = max(request.args.get("page", 1, int), 1)
        size = request.args.get("per_page", 10, int)
        own = photos.of(tenant)
        pool = own if size <= 10 else own + [one for one in photos.all() if one not in own]
        return {"photos": pool[(number - 1) * size : number * size]}

    @app.get("/photos/<photo_id>")
    def read(photo_id: str) -> Row:
        return photos.own(caller(), photo_id)

    return Case(
        app,
        bearers("north", "south"),
        leaks=frozenset({("GET /photos", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/photos", json={"caption": "secret"}))
    assert got(b.get("/photos"))["photos"] == []
    assert got(b.get("/photos", params={"per_page": 50}))["photos"] == [made]
