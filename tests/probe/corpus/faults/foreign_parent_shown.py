"""An own lesson read under another tenant's course shows that course's name."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class NewCourse(BaseModel):
    name: str
    syllabus: str


class NewLesson(BaseModel):
    topic: str


def case() -> Case:
    app, courses, lessons = api("School"), Shelf(count(10)), Shelf(count(500))

    @app.post("/courses", status_code=201)
    async def plan(new: NewCourse, tenant: Caller) -> Row:
        return courses.add(tenant, **new.model_dump())

    @app.post("/courses/{course_id}/lessons", status_code=201)
    async def give(course_id: int, new: NewLesson, tenant: Caller) -> Row:
        courses.own(tenant, course_id)
        return lessons.add(tenant, topic=new.topic)

    @app.get("/courses/{course_id}/lessons/{lesson_id}")
    async def read(course_id: int, lesson_id: int, tenant: Caller) -> Row:
        lesson = lessons.own(tenant, lesson_id)
        return {**lesson, "courseName": courses.any(course_id)["name"]}

    leaks = {("GET /courses/{course_id}/lessons/{lesson_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    theirs = got(a.post("/courses", json={"name": "secret", "syllabus": "x"}))["id"]
    mine = got(b.post("/courses", json={"name": "mine", "syllabus": "y"}))["id"]
    lesson = got(b.post(f"/courses/{mine}/lessons", json={"topic": "z"}))["id"]
    assert got(b.get(f"/courses/{theirs}/lessons/{lesson}"))["courseName"] == "secret"
