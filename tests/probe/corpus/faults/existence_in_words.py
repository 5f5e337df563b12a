"""Both are 404, but the words tell another tenant's id from nobody's."""

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
from tests.probe.corpus.walls import Client, DeniedError, Shelf, bearers, got, uuids

TENDER = {"id": str, "subject": str}
DESCRIPTION = described(
    "Tenders",
    {
        "POST /tenders": Told(body={"subject": str}, gives=TENDER, status=201),
        "GET /tenders/{tender_id}": Told(gives=TENDER),
        "DELETE /tenders/{tender_id}": Told(status=204),
    },
)


def case() -> Case:
    tenders = Shelf(uuids())

    def invite(request: HttpRequest) -> HttpResponse:
        tenant, new = caller(request), body(request, "subject")
        return JsonResponse(tenders.add(tenant, subject=new["subject"]), status=201)

    def read(request: HttpRequest, tender_id: str) -> HttpResponse:
        tenant = caller(request)
        if tenders.owners.get(tender_id, tenant) != tenant:
            raise DeniedError(404, "tender not found in this workspace")
        return JsonResponse(tenders.any(tender_id))

    def delete(request: HttpRequest, tender_id: str) -> HttpResponse:
        tenders.drop(tenders.own(caller(request), tender_id)["id"])
        return HttpResponse(status=204)

    return Case(
        django_app(
            {
                "tenders": {"POST": invite},
                "tenders/<str:tender_id>": {"GET": read, "DELETE": delete},
            }
        ),
        bearers("acme", "globex"),
        leaks=frozenset({("GET /tenders/{tender_id}", "detect")}),
        openapi=DESCRIPTION,
        existence="secret",
    )


def truth(a: Client, b: Client) -> None:
    at = f"/tenders/{got(a.post('/tenders', json={'subject': 'x'}))['id']}"
    nobodys = "/tenders/6f1c2d34-58a7-4a0e-9a53-0d9c1f7e2b11"
    told, untold = b.get(at), b.get(nobodys)
    assert (told.status_code, untold.status_code) == (404, 404)
    assert told.text != untold.text
    assert b.delete(at).text == b.delete(nobodys).text
