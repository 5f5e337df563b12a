"""The export as CSV holds everybody's customers."""

from __future__ import annotations

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
from tests.probe.corpus.walls import Client, Shelf, bearers, got, uuids

CUSTOMER = {"id": str, "name": str, "city": str}
DESCRIPTION = described(
    "Customers",
    {
        "POST /api/customers/": Told(body={"name": str, "city": str}, gives=CUSTOMER, status=201),
        "GET /api/customers/": Told(gives={"count": int, "results": [CUSTOMER]}),
        "GET /api/customers/export.csv": Told(),
    },
)


def case() -> Case:
    customers = Shelf(uuids())

    def add(request: HttpRequest) -> HttpResponse:
        tenant, new = caller(request), body(request, "name", "city")
        made = customers.add(tenant, name=new["name"], city=new["city"])
        return JsonResponse(made, status=201)

    def every(request: HttpRequest) -> HttpResponse:
        found = customers.of(caller(request))
        return JsonResponse({"count": len(found), "results": found})

    def export(request: HttpRequest) -> HttpResponse:
        caller(request)
        lines = [",".join(CUSTOMER), *(",".join(one.values()) for one in customers.all())]
        return HttpResponse("\n".join(lines), content_type="text/csv")

    return Case(
        django_app(
            {
                "api/customers/": {"GET": every, "POST": add},
                "api/customers/export.csv": {"GET": export},
            }
        ),
        bearers("acme", "globex"),
        leaks=frozenset({("GET /api/customers/export.csv", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/api/customers/", json={"name": "Ann", "city": "secret"}))
    assert got(b.get("/api/customers/"))["results"] == []
    assert f"{made['id']},Ann,secret" in b.get("/api/customers/export.csv").text
