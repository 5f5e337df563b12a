"""No description, only traffic that was recorded; a vehicle is read by its number alone."""

from __future__ import annotations

from itertools import count

from tests.probe.corpus.case import Case, Exchange
from tests.probe.corpus.djangos import (
    HttpRequest,
    HttpResponse,
    JsonResponse,
    body,
    caller,
    django_app,
)
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got

BUS: Row = {"id": 7, "plate": "ZH 1234", "remark": "blue"}
RECORDED = (
    Exchange("POST", "/vehicles", {"plate": "ZH 1234", "remark": "blue"}, 201, BUS),
    Exchange("GET", "/vehicles", None, 200, {"vehicles": [BUS]}),
    Exchange("GET", "/vehicles/7", None, 200, BUS),
)


def case() -> Case:
    vehicles = Shelf(count(120))

    def register(request: HttpRequest) -> HttpResponse:
        tenant, new = caller(request), body(request, "plate", "remark")
        made = vehicles.add(tenant, plate=new["plate"], remark=new["remark"])
        return JsonResponse(made, status=201)

    def every(request: HttpRequest) -> HttpResponse:
        return JsonResponse({"vehicles": vehicles.of(caller(request))})

    def read(request: HttpRequest, vehicle_id: int) -> HttpResponse:
        caller(request)
        return JsonResponse(vehicles.any(vehicle_id))

    return Case(
        django_app(
            {
                "vehicles": {"GET": every, "POST": register},
                "vehicles/<int:vehicle_id>": {"GET": read},
            }
        ),
        bearers("north", "south"),
        leaks=frozenset({("GET /vehicles/{vehicle_id}", "read")}),
        openapi={},
        recorded=RECORDED,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/vehicles", json={"plate": "secret", "remark": "x"}))
    assert got(b.get("/vehicles")) == {"vehicles": []}
    assert got(b.get(f"/vehicles/{made['id']}")) == made
