"""A document is deleted by its id alone; a creation tells its id in Location only."""

from __future__ import annotations

from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import Client, DeniedError, Shelf, bearers, prefixed

DOCUMENT = {"id": str, "name": str, "text": str}
DESCRIPTION = described(
    "Documents",
    {
        "POST /documents": Told(body={"name": str, "text?": str}, status=201),
        "GET /documents": Told(gives={"data": [DOCUMENT]}),
        "GET /documents/{document_id}": Told(gives={"data": DOCUMENT}),
        "DELETE /documents/{document_id}": Told(status=204),
    },
)


def case() -> Case:
    documents = Shelf(prefixed("doc"))

    async def create(request: Request) -> Response:
        tenant, new = caller(request), await request.json()
        if not isinstance(new.get("name"), str):
            raise DeniedError(400, "name is required")
        made = documents.add(tenant, name=new["name"], text=str(new.get("text", "")))
        return Response(status_code=201, headers={"Location": f"/documents/{made['id']}"})

    async def every(request: Request) -> Response:
        return JSONResponse({"data": documents.of(caller(request))})

    async def read(request: Request) -> Response:
        found = documents.own(caller(request), request.path_params["document_id"])
        return JSONResponse({"data": found})

    async def delete(request: Request) -> Response:
        caller(request)
        documents.drop(documents.any(request.path_params["document_id"])["id"])
        return Response(status_code=204)

    one = "/documents/{document_id}"
    routes = [
        Route("/documents", create, methods=["POST"]),
        Route("/documents", every, methods=["GET"]),
        Route(one, read, methods=["GET"]),
        Route(one, delete, methods=["DELETE"]),
    ]
    return Case(
        routed(routes),
        bearers("north", "south"),
        leaks=frozenset({("DELETE /documents/{document_id}", "destroy")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    at = a.post("/documents", json={"name": "plan"}).headers["location"]
    assert a.get(at).is_success
    assert b.get(at).status_code == 404
    assert b.delete(at).status_code == 204
    assert a.get(at).status_code == 404
