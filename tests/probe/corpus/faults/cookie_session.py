"""Sessions in cookies, of which the description says nothing; any prescription can be read."""

from __future__ import annotations

from itertools import count

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.djangos import HttpRequest, HttpResponse, JsonResponse, body, django_app
from tests.probe.corpus.walls import KEYS, Client, Shelf, got, tenant_of

DRUG = {"number": int, "drug": str, "patient": str}
DESCRIPTION = described(
    "Pharmacy",
    {
        "POST /prescriptions": Told(body={"drug": str, "patient": str}, gives=DRUG, status=201),
        "GET /prescriptions": Told(gives={"prescriptions": [DRUG]}),
        "GET /prescriptions/{number}": Told(ids={"number": int}, gives=DRUG),
    },
    scheme=None,
)


def case() -> Case:
    shelf = Shelf(count(9001))

    def caller(request: HttpRequest) -> str:
        return tenant_of(request.COOKIES.get("session"))

    def prescribe(request: HttpRequest) -> HttpResponse:
        tenant, new = caller(request), body(request, "drug", "patient")
        made = shelf.add(tenant, drug=new["drug"], patient=new["patient"])
        made["number"] = made["id"]
        return JsonResponse({name: made[name] for name in DRUG}, status=201)

    def every(request: HttpRequest) -> HttpResponse:
        return JsonResponse({"prescriptions": shelf.of(caller(request))})

    def read(request: HttpRequest, number: int) -> HttpResponse:
        caller(request)
        return JsonResponse(shelf.any(number))

    app = django_app(
        {
            "prescriptions": {"GET": every, "POST": prescribe},
            "prescriptions/<int:number>": {"GET": read},
        }
    )
    tenants = {name: {"cookies": {"session": KEYS[name]}} for name in ("acme", "globex")}
    leaks = {("GET /prescriptions/{number}", "read")}
    return Case(app, tenants, frozenset(leaks), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/prescriptions", json={"drug": "secret", "patient": "x"}))["number"]
    assert got(b.get("/prescriptions")) == {"prescriptions": []}
    assert got(b.get(f"/prescriptions/{made}"))["drug"] == "secret"
