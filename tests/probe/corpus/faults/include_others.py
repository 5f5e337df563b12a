"""A post is checked, the comments that `include=comments` adds are everybody's."""

from __future__ import annotations

from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids

POST = {"id": str, "headline": str}
COMMENT = {"id": str, "text": str}
DESCRIPTION = described(
    "Blog",
    {
        "POST /posts": Told(body={"headline": str}, gives=POST, status=201),
        "GET /posts/{post_id}": Told(query={"include": ("comments", "tags")}, gives=POST),
        "POST /posts/{post_id}/comments": Told(body={"text": str}, gives=COMMENT, status=201),
    },
)


async def text_of(request: Request, name: str) -> str:
    new = await request.json()
    if not isinstance(new.get(name), str):
        raise DeniedError(400, f"{name} must be a text")
    return str(new[name])


def case() -> Case:
    posts, comments = Shelf(uuids(1)), Shelf(uuids(2))

    async def write(request: Request) -> Response:
        tenant = caller(request)
        return JSONResponse(posts.add(tenant, headline=await text_of(request, "headline")), 201)

    async def read(request: Request) -> Response:
        shown: Row = dict(posts.own(caller(request), request.path_params["post_id"]))
        if request.query_params.get("include") == "comments":
            shown["comments"] = comments.all()
        return JSONResponse(shown)

    async def comment(request: Request) -> Response:
        tenant = caller(request)
        posts.own(tenant, request.path_params["post_id"])
        return JSONResponse(comments.add(tenant, text=await text_of(request, "text")), 201)

    routes = [
        Route("/posts", write, methods=["POST"]),
        Route("/posts/{post_id}", read, methods=["GET"]),
        Route("/posts/{post_id}/comments", comment, methods=["POST"]),
    ]
    return Case(
        routed(routes),
        bearers("acme", "globex"),
        leaks=frozenset({("GET /posts/{post_id}", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    theirs = got(a.post("/posts", json={"headline": "x"}))["id"]
    comment = got(a.post(f"/posts/{theirs}/comments", json={"text": "secret"}))
    mine = got(b.post("/posts", json={"headline": "y"}))["id"]
    assert "secret" not in b.get(f"/posts/{mine}").text
    assert got(b.get(f"/posts/{mine}", params={"include": "comments"}))["comments"] == [comment]
