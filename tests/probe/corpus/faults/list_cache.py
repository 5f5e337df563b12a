"""The list is cached for a while, the same for all: it shows whoever asked first."""

from __future__ import annotations

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
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed

KEPT_S = 0.4
VISIT = {"id": str, "guest": str}
DESCRIPTION = described(
    "Visits",
    {
        "POST /visits": Told(body={"guest": str}, gives=VISIT, status=201),
        "GET /visits": Told(gives={"visits": [VISIT]}),
        "GET /visits/{visit_id}": Told(gives=VISIT),
    },
)


def case() -> Case:
    visits, kept = Shelf(prefixed("vis")), dict[str, tuple[float, list[Row]]]()

    def announce(request: HttpRequest) -> HttpResponse:
        tenant, new = caller(request), body(request, "guest")
        kept.clear()
        return JsonResponse(visits.add(tenant, guest=new["guest"]), status=201)

    def every(request: HttpRequest) -> HttpResponse:
        tenant, now = caller(request), time.monotonic()
        if request.path not in kept or now - kept[request.path][0] > KEPT_S:
            kept[request.path] = now, visits.of(tenant)
        return JsonResponse({"visits": kept[request.path][1]})

    def read(request: HttpRequest, visit_id: str) -> HttpResponse:
        return JsonResponse(visits.own(caller(request), visit_id))

    return Case(
        django_app(
            {"visits": {"GET": every, "POST": announce}, "visits/<str:visit_id>": {"GET": read}}
        ),
        bearers("north", "south"),
        leaks=frozenset({("GET /visits", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/visits", json={"guest": "secret"}))
    assert b.get(f"/visits/{made['id']}").status_code == 404
    assert got(b.get("/visits")) == {"visits": []}
    time.sleep(KEPT_S * 1.2)
    assert got(a.get("/visits")) == {"visits": [made]}
    assert got(b.get("/visits")) == {"visits": [made]}
