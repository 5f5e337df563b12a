"""What isn't the caller's is answered with a redirect to its own list."""

from __future__ import annotations

from itertools import count

from flask import redirect, request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import Answer, caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got

FORM = "application/x-www-form-urlencoded"
EXPENSE = {"id": int, "purpose": str}
DESCRIPTION = described(
    "Expenses",
    {
        "POST /expenses": Told(body={"purpose": str}, media=FORM, gives=EXPENSE, status=201),
        "GET /expenses": Told(gives={"expenses": [EXPENSE]}),
        "GET /expenses/{expense_id}": Told(ids={"expense_id": int}, gives=EXPENSE),
        "POST /expenses/{expense_id}/approve": Told(ids={"expense_id": int}, status=303),
    },
)


def case() -> Case:
    app, expenses = flask_app("expenses"), Shelf(count(410))

    @app.post("/expenses")
    def hand_in() -> tuple[Row, int]:
        tenant, purpose = caller(), request.form.get("purpose")
        if not purpose:
            raise DeniedError(400, "purpose: required")
        return expenses.add(tenant, purpose=purpose, approved=False), 201

    @app.get("/expenses")
    def every() -> Row:
        return {"expenses": expenses.of(caller())}

    @app.get("/expenses/<int:expense_id>")
    def read(expense_id: int) -> Row | Answer:
        if expenses.owners.get(expense_id) != caller():
            return redirect("/expenses", 303)
        return expenses.rows[expense_id]

    @app.post("/expenses/<int:expense_id>/approve")
    def approve(expense_id: int) -> Answer:
        for one in expenses.of(caller(), id=expense_id):
            one["approved"] = True
        return redirect("/expenses", 303)

    return Case(app, bearers("acme", "globex"), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    at = f"/expenses/{got(a.post('/expenses', data={'purpose': 'x'}))['id']}"
    assert b.get(at).status_code == b.post(f"{at}/approve").status_code == 303
    assert got(a.get(at))["approved"] is False
    assert a.post(f"{at}/approve").status_code == 303
    assert got(a.get(at))["approved"] is True
