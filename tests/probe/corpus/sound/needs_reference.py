"""A lesson needs a teacher and a room of the same school, and takes no others'."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed


class Named(BaseModel):
    name: str


class NewLesson(BaseModel):
    subject: str
    teacherId: str  # noqa: N815 - the API's name
    roomId: str  # noqa: N815 - the API's name


def case() -> Case:
    app = api("Timetable")
    teachers, rooms, lessons = (Shelf(prefixed(kind)) for kind in ("tch", "room", "les"))

    @app.post("/teachers", status_code=201)
    async def employ(new: Named, tenant: Caller) -> Row:
        return {"data": teachers.add(tenant, name=new.name)}

    @app.post("/rooms", status_code=201)
    async def furnish(new: Named, tenant: Caller) -> Row:
        return {"data": rooms.add(tenant, name=new.name)}

    @app.post("/lessons", status_code=201)
    async def plan(new: NewLesson, tenant: Caller) -> Row:
        for shelf, key in ((teachers, new.teacherId), (rooms, new.roomId)):
            if shelf.owners.get(key) != tenant:
                raise DeniedError(422, "teacherId and roomId must be of this school")
        return {"data": lessons.add(tenant, **new.model_dump())}

    @app.get("/lessons/{lessonId}")
    async def read(lessonId: str, tenant: Caller) -> Row:  # noqa: N803 - the API's name
        return {"data": lessons.own(tenant, lessonId)}

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    def made(of: Client, kind: str) -> str:
        return str(got(of.post(f"/{kind}", json={"name": kind}))["data"]["id"])

    theirs = {"subject": "x", "teacherId": made(a, "teachers"), "roomId": made(a, "rooms")}
    lesson = got(a.post("/lessons", json=theirs))["data"]["id"]
    assert b.get(f"/lessons/{lesson}").status_code == 404
    mixed = {**theirs, "teacherId": made(b, "teachers")}
    assert b.post("/lessons", json=mixed).status_code == 422
