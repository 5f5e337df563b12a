"""Every answer has a time and a random id of its own, the refusals too."""

from __future__ import annotations

import random
import time

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.djangos import (
    HttpRequest,
    HttpResponse,
    JsonResponse,
    body,
    caller,
    django_app,
)
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids

PARCEL = {"id": str, "addressee": str}
META = {"request_id": str, "took_ms": float}
DESCRIPTION = described(
    "Parcels",
    {
        "POST /parcels": Told(
            body={"addressee": str}, gives={"data": PARCEL, "meta": META}, status=201
        ),
        "GET /parcels": Told(gives={"data": [PARCEL], "meta": META}),
        "GET /parcels/{parcel_id}": Told(gives={"data": PARCEL, "meta": META}),
        "DELETE /parcels/{parcel_id}": Told(gives={"meta": META}),
    },
)


def case() -> Case:
    parcels, numbers = Shelf(uuids(1)), uuids(2)
    source = random.Random(3)  # noqa: S311 - noise, no secret

    def answered(data: object, status: int = 200) -> HttpResponse:
        meta = {
            "request_id": next(numbers),
            "took_ms": source.random() * 10 ** source.randint(0, 4),
        }
        return JsonResponse({"data": data, "meta": meta, "at": time.time()}, status=status)

    def own(request: HttpRequest, parcel_id: str) -> Row | None:
        tenant = caller(request)
        return parcels.rows[parcel_id] if parcels.owners.get(parcel_id) == tenant else None

    def send(request: HttpRequest) -> HttpResponse:
        tenant, new = caller(request), body(request, "addressee")
        return answered(parcels.add(tenant, addressee=new["addressee"]), 201)

    def every(request: HttpRequest) -> HttpResponse:
        return answered(parcels.of(caller(request)))

    def read(request: HttpRequest, parcel_id: str) -> HttpResponse:
        found = own(request, parcel_id)
        return answered(found, 200 if found else 404)

    def delete(request: HttpRequest, parcel_id: str) -> HttpResponse:
        found = own(request, parcel_id)
        parcels.drop(found["id"] if found else None)
        return answered(None, 200 if found else 404)

    app = django_app(
        {
            "parcels": {"GET": every, "POST": send},
            "parcels/<str:parcel_id>": {"GET": read, "DELETE": delete},
        }
    )
    return Case(app, bearers("acme", "globex"), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    at = f"/parcels/{got(a.post('/parcels', json={'addressee': 'x'}))['data']['id']}"
    assert a.get(at).text != a.get(at).text
    assert b.get(at).status_code == b.get("/parcels/1").status_code == 404
    assert b.delete(at).status_code == 404
    assert a.get(at).is_success
