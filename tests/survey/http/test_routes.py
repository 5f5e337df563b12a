"""Route tables of real applications: every operation, also what a description leaves out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import flask
import pytest
from a2wsgi import ASGIMiddleware, WSGIMiddleware
from fastapi import APIRouter, FastAPI, File, UploadFile, WebSocket
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from partywall.survey.http.operations import Operation
from partywall.survey.http.routes import described, read


class NewNote(BaseModel):
    title: str
    above: NewNote | None = None


def fast() -> FastAPI:
    """Routers in routers, what the description leaves out, and an application below."""
    app, outer, inner = FastAPI(), APIRouter(prefix="/api"), APIRouter(prefix="/teams/{team_id}")

    @inner.get("/notes")
    def notes(team_id: UUID, page: int = 1) -> list[NewNote]:
        """All of them."""
        raise NotImplementedError(team_id, page)

    @inner.post("/notes", include_in_schema=False)
    def create(team_id: UUID, note: NewNote) -> NewNote:
        raise NotImplementedError(team_id, note)

    @app.put("/files/{path:path}", include_in_schema=False)
    def upload(path: str, file: Annotated[UploadFile, File()]) -> None:
        raise NotImplementedError(path, file)

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.close()

    outer.include_router(inner)
    app.include_router(outer)
    app.mount("/static", StaticFiles(directory="."))
    below = FastAPI()

    @below.delete("/notes/{note_id}")
    def delete(note_id: int) -> None:
        raise NotImplementedError(note_id)

    app.mount("/admin", below)
    return app


def at(app: object) -> dict[str, Operation]:
    found = read(app)
    assert {one.known_from for one in found} <= {"routes"}
    assert len({one.at for one in found}) == len(found)
    return {one.at: one for one in found}


def test_fastapi_tells_the_bodies_of_what_it_hides() -> None:
    app = fast()
    found = at(app)
    assert set(found) == {
        "GET /api/teams/{team_id}/notes",
        "POST /api/teams/{team_id}/notes",
        "PUT /files/{path}",
        "DELETE /admin/notes/{note_id}",
        "WS /live",
    }
    create = found["POST /api/teams/{team_id}/notes"]
    assert create.parameters[0].schema["format"] == "uuid"
    assert create.payloads[0].schema["properties"]["title"]["type"] == "string"
    assert create.payloads[0].schema["required"] == ["title"]
    assert "$ref" not in json.dumps([create.payloads[0].schema, create.answer])
    assert found["PUT /files/{path}"].payloads[0].media == "multipart/form-data"
    assert found["GET /api/teams/{team_id}/notes"].summary == "Notes"
    told = described(app)
    assert told is not None
    assert list(told["paths"]) == ["/api/teams/{team_id}/notes"]
    assert list(told["paths"]["/api/teams/{team_id}/notes"]) == ["get"]


def test_a_route_that_can_not_be_described_is_there_all_the_same() -> None:
    app = FastAPI()

    class Odd:
        pass

    @app.get("/odd/{odd_id}", include_in_schema=False)
    def odd(odd_id: int) -> None:
        raise NotImplementedError(odd_id)

    app.routes[-1].responses = {200: {"model": Odd}}  # type: ignore[attr-defined]
    app.routes[-1].response_fields = {200: Odd}  # type: ignore[attr-defined]
    assert set(at(app)) == {"GET /odd/{odd_id}"}


def answer(_: object) -> Response:
    return PlainTextResponse("")


class Notes(HTTPEndpoint):
    async def get(self, _: Any) -> Response:  # noqa: ANN401 - a request
        return PlainTextResponse("")

    async def patch(self, _: Any) -> Response:  # noqa: ANN401 - a request
        return PlainTextResponse("")


async def live(_: Any) -> None:  # noqa: ANN401 - a socket
    return


def starlette() -> Starlette:
    old: Any = WSGIMiddleware(flasked())  # type: ignore[arg-type]
    return Starlette(
        routes=[
            Route("/a/{a_id:int}/{b:float}/{c:uuid}/{d:path}", answer, methods=["GET", "POST"]),
            Route("/notes", Notes),
            WebSocketRoute("/live", live),
            Mount("/v1", routes=[Mount("/teams/{team_id}", routes=[Route("/x", answer)])]),
            Mount("/old", old),
            Mount("", Router([Route("/bare", answer)])),
            Host("{tenant}.example.com", Router([Route("/hosted", answer)])),
        ]
    )


def flasked() -> flask.Flask:
    app = flask.Flask(__name__)
    below = flask.Blueprint("below", __name__, url_prefix="/teams/<uuid:team_id>")

    @below.route("/notes/<int:note_id>", methods=["GET", "DELETE"])
    def note(team_id: str, note_id: int) -> str:
        """One note.

        Or none.
        """
        raise NotImplementedError(team_id, note_id)

    @app.post("/files/<path:name>/<any(small, 'large'):size>/<string(length=2):c>/<d>")
    def files(**_: str) -> str:
        raise NotImplementedError

    app.register_blueprint(below)
    return app


FLASK = {
    "GET /teams/{team_id}/notes/{note_id}",
    "DELETE /teams/{team_id}/notes/{note_id}",
    "POST /files/{name}/{size}/{c}/{d}",
}


def test_starlette_with_all_that_is_mounted() -> None:
    found = at(starlette())
    assert set(found) == {
        "GET /a/{a_id}/{b}/{c}/{d}", "POST /a/{a_id}/{b}/{c}/{d}", "GET /notes", "PATCH /notes",
        "GET /v1/teams/{team_id}/x", "GET /bare", "GET /hosted", "WS /live",
        *(one.replace(" ", " /old", 1) for one in FLASK),
    }  # fmt: skip
    schemas = [parameter.schema for parameter in found["GET /a/{a_id}/{b}/{c}/{d}"].parameters]
    assert schemas == [
        {"type": "integer"}, {"type": "number"}, {"type": "string", "format": "uuid"},
        {"type": "string"},
    ]  # fmt: skip


def test_flask_with_its_blueprints() -> None:
    found = at(flasked())
    assert set(found) == FLASK
    one = found["GET /teams/{team_id}/notes/{note_id}"]
    assert (one.summary, one.name) == ("One note.", "below.note")
    assert [(p.name, p.schema) for p in one.parameters] == [
        ("team_id", {"type": "string", "format": "uuid"}), ("note_id", {"type": "integer"}),
    ]  # fmt: skip


ROUTED: Any = CORSMiddleware(Starlette(routes=[Route("/x", answer)]))


async def plain(_scope: object, _receive: object, _send: object) -> None:
    return


@pytest.mark.parametrize(
    ("app", "there"),
    [
        (ROUTED, {"GET /x"}),
        (ASGIMiddleware(ROUTED), {"GET /x"}),
        (DispatcherMiddleware(flask.Flask("a"), {"/b": flasked()}),
         {one.replace(" ", " /b", 1) for one in FLASK}),
        (plain, set()),
        (object(), set()),
        (None, set()),
    ],
)  # fmt: skip
def test_what_stands_before_an_application_is_looked_through(app: object, there: set[str]) -> None:
    assert set(at(app)) == there


def test_a_prefix_goes_before_each() -> None:
    app = Starlette(routes=[Route("/x", answer)])
    assert [one.at for one in read(app, "/base")] == ["GET /base/x"]


# Django's settings are a process's own ---------------------------------------------------------

DJANGO = """
import json, sys
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="x",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.admin",
                    "django.contrib.messages"],
)
django.setup()

def plain(request, pk):
    "One of them."
    return HttpResponse()

def by_method(request):
    if request.method == "DELETE":
        return HttpResponse()
    return HttpResponse(request.body)

@csrf_exempt
@require_http_methods(["POST", "PUT"])
def declared(request, slug):
    return HttpResponse()

class Orders(View):
    "All orders."
    def get(self, request): ...
    def post(self, request): ...

class ReadOnly(Orders):
    http_method_names = ["get"]

def viewset(actions):
    def view(request): ...
    view.cls, view.actions = Orders, actions
    return view

def api_view(request): ...
api_view.cls = Orders

from django.contrib import admin
from django.core.wsgi import get_wsgi_application
from django.core.asgi import get_asgi_application

inner = [
    path("<uuid:id>/", declared),
    re_path(r"^by/(?P<slug>[-\\w]+)/(?P<n>[0-9]{4})/?$", declared),
    re_path(r"^notes\\.(?P<format>[a-z0-9]+)/?$", declared),
]
urlpatterns = [
    path("orders/<int:pk>/", plain),
    path("method", by_method),
    path("orders/", Orders.as_view()),
    path("readonly/", ReadOnly.as_view()),
    path("teams/<team>/", include(inner)),
    path("set/", viewset({"get": "list", "delete": "clear", "head": "list"})),
    path("api/", api_view),
    path("admin/", admin.site.urls),
]
app = get_wsgi_application()

from partywall.survey.http import routes
found = routes.read(app)
assert [one.at for one in routes.read(get_asgi_application())] == [one.at for one in found]
schemas = [{p.name: p.schema for p in one.parameters} for one in found]
print(json.dumps([[o.at, types, o.summary] for o, types in zip(found, schemas)]))
"""


def test_django_by_its_patterns_and_views() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DJANGO],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3] / "src",
    )
    found = {name: (types, summary) for name, types, summary in json.loads(done.stdout)}
    text, whole = {"type": "string"}, {"type": "integer"}
    assert set(found) == {
        "GET /orders/{pk}/", "GET /method", "DELETE /method", "POST /method", "GET /orders/",
        "POST /orders/", "GET /readonly/", "POST /teams/{team}/{id}/", "PUT /teams/{team}/{id}/",
        "POST /teams/{team}/by/{slug}/{n}", "PUT /teams/{team}/by/{slug}/{n}",
        "GET /set/", "DELETE /set/", "GET /api/", "POST /api/",
    }  # fmt: skip
    assert found["GET /orders/{pk}/"] == ({"pk": whole}, "One of them.")
    assert found["GET /orders/"] == ({}, "All orders.")
    assert found["POST /teams/{team}/{id}/"][0] == {
        "team": text, "id": {"type": "string", "format": "uuid"},
    }  # fmt: skip
    assert found["PUT /teams/{team}/by/{slug}/{n}"][0] == {"team": text, "slug": text, "n": text}


def test_no_framework_is_imported_for_another_s_application() -> None:
    code = (
        "import sys; from partywall.survey.http import routes; routes.read(object()); "
        "print(sorted({'fastapi', 'starlette', 'flask', 'django'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
