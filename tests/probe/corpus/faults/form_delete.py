"""Forms and redirects: a to-do is deleted by whoever posts to its address."""

from __future__ import annotations

from itertools import count

from flask import redirect, request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import Answer, caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got

ITEM = {"id": int, "what": str}
FORM = "application/x-www-form-urlencoded"
DESCRIPTION = described(
    "To-dos",
    {
        "POST /todos": Told(body={"what": str}, media=FORM, status=303),
        "GET /todos": Told(gives=[ITEM]),
        "POST /todos/{todo_id}/delete": Told(ids={"todo_id": int}, status=303),
    },
)


def case() -> Case:
    app, todos = flask_app("todos"), Shelf(count(14))

    @app.post("/todos")
    def add() -> Answer:
        tenant, what = caller(), request.form.get("what")
        if not what:
            raise DeniedError(400, "what: required")
        todos.add(tenant, what=what)
        return redirect("/todos", 303)

    @app.get("/todos")
    def every() -> list[Row]:
        return todos.of(caller())

    @app.post("/todos/<int:todo_id>/delete")
    def delete(todo_id: int) -> Answer:
        caller()
        todos.drop(todos.any(todo_id)["id"])
        return redirect("/todos", 303)

    return Case(
        app,
        bearers("acme", "globex"),
        leaks=frozenset({("POST /todos/{todo_id}/delete", "destroy")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    assert a.post("/todos", data={"what": "x"}).status_code == 303
    made = got(a.get("/todos"))[0]["id"]
    assert got(b.get("/todos")) == []
    assert b.post(f"/todos/{made}/delete").status_code == 303
    assert got(a.get("/todos")) == []
