"""Figures of one's own that are the same for both, as long as both have as much."""

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

POLL = {"id": str, "question": str}
DESCRIPTION = described(
    "Polls",
    {
        "POST /polls": Told(body={"question": str}, gives=POLL, status=201),
        "GET /polls/summary": Told(gives={"polls": int, "quota": int, "plan": str}),
    },
)


def case() -> Case:
    polls = Shelf(uuids())

    def ask(request: HttpRequest) -> HttpResponse:
        tenant, new = caller(request), body(request, "question")
        return JsonResponse(polls.add(tenant, question=new["question"]), status=201)

    def summary(request: HttpRequest) -> HttpResponse:
        own = len(polls.of(caller(request)))
        return JsonResponse({"polls": own, "quota": 1000, "plan": "standard"})

    app = django_app({"polls": {"POST": ask}, "polls/summary": {"GET": summary}})
    return Case(app, bearers("acme", "globex"), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    for one in (a, b):
        got(one.post("/polls", json={"question": "x"}))
    assert got(a.get("/polls/summary")) == got(b.get("/polls/summary"))
    got(a.post("/polls", json={"question": "y"}))
    assert got(b.get("/polls/summary"))["polls"] == 1
