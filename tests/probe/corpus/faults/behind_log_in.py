"""Tokens come from a log-in and last for some requests; a dossier is read by its id alone."""

from __future__ import annotations

from itertools import count

from fastapi import Depends
from pydantic import BaseModel

from tests.probe.corpus.asgi import Request, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, got, uuids

LASTS = 25
PEOPLE = {"ann@acme.test": "acme", "bob@globex.test": "globex"}


class LogIn(BaseModel):
    email: str
    password: str


class NewDossier(BaseModel):
    name: str
    findings: str = ""


class Sessions:
    """Tokens, whose they are, and for how many requests more."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.tenants: dict[str, str] = {}
        self.numbers = count(1)

    def begin(self, tenant: str) -> str:
        token = f"session-{next(self.numbers)}"
        self.left[token], self.tenants[token] = LASTS, tenant
        return token

    async def __call__(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.left.get(token, 0) < 1:
            raise DeniedError(401, "log in again")
        self.left[token] -= 1
        request.state.token, request.state.tenant = token, self.tenants[token]


def case() -> Case:
    app, dossiers, sessions = api("Clinic"), Shelf(uuids()), Sessions()
    session = [Depends(sessions)]

    @app.post("/log-in")
    async def log_in(person: LogIn) -> dict[str, str]:
        if person.email not in PEOPLE or person.password != "correct":
            raise DeniedError(401, "this is not you")
        return {"access_token": sessions.begin(PEOPLE[person.email])}

    @app.post("/log-out", status_code=204, dependencies=session)
    async def log_out(request: Request) -> None:
        sessions.left[request.state.token] = 0

    @app.post("/dossiers", status_code=201, dependencies=session)
    async def open_one(new: NewDossier, request: Request) -> Row:
        return dossiers.add(request.state.tenant, **new.model_dump())

    @app.get("/dossiers/{dossier_id}", dependencies=session)
    async def read(dossier_id: str) -> Row:
        return dossiers.any(dossier_id)

    tenants = {
        tenant: {
            "login": {
                "request": {
                    "method": "POST",
                    "path": "/log-in",
                    "json": {"email": email, "password": "correct"},
                },
                "headers": {"Authorization": "Bearer {access_token}"},
            }
        }
        for email, tenant in PEOPLE.items()
    }
    return Case(
        app,
        tenants,
        leaks=frozenset({("GET /dossiers/{dossier_id}", "read")}),
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/dossiers", json={"name": "secret"}))
    assert got(b.get(f"/dossiers/{made['id']}")) == made
    got(a.post("/log-out"))
    assert a.get(f"/dossiers/{made['id']}").status_code == 401
