"""Two companies in the reference application, on every isolation model, through HTTP.

Each attempt has a control: the company whose data it is can do the same.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.examples.invoices import behind
from tests.examples.invoices.pairs import Pair, furnished, invoiced, same_as_nobody

if TYPE_CHECKING:
    from tests.examples.invoices.houses import House

LISTS = ("/customers", "/invoices")
KINDS = {"customer", "invoice", "comment", "file"}


def ways(pair: Pair) -> list[tuple[str, str]]:
    """Each path that leads to something of B, with the id in it."""
    b = pair.b
    return [
        (f"/customers/{b.customer}", b.customer),
        (f"/invoices/{b.invoice}", b.invoice),
        (f"/invoices/{b.invoice}/comments", b.invoice),
        (f"/invoices/{b.invoice}/comments/{b.comment}", b.invoice),
        (f"/invoices/{b.invoice}/comments/{b.comment}", b.comment),
        (f"/invoices/{b.invoice}/files", b.invoice),
        (f"/files/{b.file}", b.file),
        (f"/reports/{b.report}", b.report),
    ]


def test_nothing_is_read_by_its_id(pair: Pair) -> None:
    for path, id_ in ways(pair):
        same_as_nobody(pair.a.company, "GET", path, id_)
        control = pair.b.company.get(path)
        assert control.status_code == 200
        assert pair.b.word in control.text or id_ == pair.b.report


def test_nothing_is_read_below_an_own_invoice(pair: Pair) -> None:
    path = f"/invoices/{pair.a.invoice}/comments"
    same_as_nobody(pair.a.company, "GET", f"{path}/{pair.b.comment}", pair.b.comment)
    assert pair.a.word in pair.a.company.get(f"{path}/{pair.a.comment}").text


def test_a_comment_is_read_below_its_own_invoice_alone(pair: Pair) -> None:
    a = pair.a
    other = a.company.made("/invoices", invoiced(a.customer, a.word))["id"]
    assert a.company.get(f"/invoices/{other}/comments/{a.comment}").status_code == 404
    assert a.company.send("DELETE", f"/invoices/{other}").status_code == 204


def test_nothing_is_read_in_a_batch(pair: Pair) -> None:
    a, b = pair.a, pair.b

    def read(*ids: str) -> bytes:
        return a.company.heard("POST", "/invoices/batch", json={"ids": ids})

    assert read(b.invoice) == read(str(uuid.uuid4()))
    assert read(a.invoice, b.invoice) == read(a.invoice)
    assert a.word.encode() in read(a.invoice)
    control = b.company.send("POST", "/invoices/batch", {"ids": [b.invoice]}).json()
    assert [each["id"] for each in control] == [b.invoice]


def test_nothing_is_listed(pair: Pair) -> None:
    for path in LISTS:
        own = pair.a.company.get(path, limit=200).text
        assert pair.b.word not in own
        assert pair.a.word in own
        assert pair.b.word in pair.b.company.get(path, limit=200).text


def test_nothing_is_found_by_a_filter(pair: Pair) -> None:
    b = pair.b
    for path, filters in (
        ("/customers", {"email": f"{b.word}@example.com"}),
        ("/invoices", {"customer_id": b.customer}),
        ("/invoices", {"customer_id": b.customer, "status": "sent"}),
    ):
        assert pair.a.company.get(path, **filters).json() == []
        assert len(pair.b.company.get(path, **filters).json()) == 1


def test_nothing_is_found_by_search(pair: Pair) -> None:
    assert pair.a.company.get("/search", q=pair.b.word).json() == []
    hits = pair.b.company.get("/search", q=pair.b.word.upper()).json()
    assert {hit["kind"] for hit in hits} == KINDS


@pytest.mark.parametrize("q", ["%", "_", "' OR '1'='1", "') OR 1=1 --", "\\", "/"])
def test_a_search_is_no_sql(pair: Pair, q: str) -> None:
    found = pair.a.company.get("/search", q=q)
    assert found.status_code == 200
    assert pair.b.word not in found.text
    assert all(q in hit["text"] for hit in found.json())


def test_nothing_is_changed(pair: Pair) -> None:
    a, b = pair.a.company, pair.b
    before = b.company.everything()
    for path, id_, said, own in (
        (
            f"/customers/{b.customer}",
            b.customer,
            {"name": "taken", "email": "taken@example.com"},
            {"name": f"Ann {b.word}", "email": f"{b.word}@example.com"},
        ),
        (
            f"/invoices/{b.invoice}",
            b.invoice,
            invoiced(pair.a.customer, "taken"),
            invoiced(b.customer, f"Hours {b.word}"),
        ),
    ):
        same_as_nobody(a, "PUT", path, id_, json=said)
        assert b.company.everything() == before
        changed = {
            name: f"new {b.word}" if name in {"name", "title"} else own[name] for name in own
        }
        for mine in (changed, own):
            assert b.company.send("PUT", path, mine).status_code == 200
            assert mine.items() <= b.company.get(path).json().items()
    assert b.company.everything() == before


def test_nothing_is_moved(pair: Pair) -> None:
    a, b = pair.a, pair.b
    other = b.company.made("/customers", {"name": b.word, "email": "other@example.com"})["id"]
    before, own = b.company.everything(), a.company.everything()
    to_theirs = invoiced(b.customer, f"Hours {a.word}")
    same_as_nobody(a.company, "PUT", f"/invoices/{a.invoice}", b.customer, json=to_theirs)
    same_as_nobody(a.company, "POST", "/invoices", b.customer, json=to_theirs)
    theirs_to_own = invoiced(a.customer, f"Hours {b.word}")
    same_as_nobody(a.company, "PUT", f"/invoices/{b.invoice}", b.invoice, json=theirs_to_own)
    assert b.company.everything() == before
    assert a.company.everything() == own
    for customer in (other, b.customer):
        moved = invoiced(customer, f"Hours {b.word}")
        assert b.company.send("PUT", f"/invoices/{b.invoice}", moved).status_code == 200
        assert len(b.company.get("/invoices", customer_id=customer).json()) == 1
    assert b.company.send("DELETE", f"/customers/{other}").status_code == 204


def test_nothing_is_deleted(pair: Pair) -> None:
    b = pair.b
    unfurnished = b.company.everything()
    more = furnished(b.company)
    before = b.company.everything()
    ways = (
        (f"/files/{more.file}", more.file),
        (f"/comments/{more.comment}", more.comment),
        (f"/invoices/{more.invoice}", more.invoice),
        (f"/customers/{more.customer}", more.customer),
    )
    for path, id_ in ways:
        same_as_nobody(pair.a.company, "DELETE", path, id_)
    assert b.company.everything() == before
    for path, _ in ways:
        assert b.company.send("DELETE", path).status_code == 204
    assert b.company.everything() == unfurnished


def test_nothing_is_hung_on_anothers_invoice(pair: Pair) -> None:
    a, b = pair.a.company, pair.b
    before, own = b.company.everything(), a.everything()
    path = f"/invoices/{b.invoice}"
    same_as_nobody(a, "POST", f"{path}/comments", b.invoice, json={"body": "mine"})
    same_as_nobody(a, "POST", f"{path}/files", b.invoice, files={"file": ("x", b"x")})
    assert b.company.everything() == before
    assert a.everything() == own
    comment = b.company.made(f"{path}/comments", {"body": "mine"})["id"]
    file = b.company.upload(b.invoice, "x", b"x").json()["id"]
    assert b.company.everything() != before
    for mine in (f"/comments/{comment}", f"/files/{file}"):
        assert b.company.send("DELETE", mine).status_code == 204
    assert b.company.everything() == before


SAID = r"""
SELECT query, calls, rows FROM pg_stat_statements
WHERE userid = 'app'::regrole OR userid::regrole::text LIKE 't\_%'
"""


@pytest.mark.parametrize("house", ["rows", "schemas", "databases", "scoped"], indirect=True)
def test_the_server_is_asked_the_same_for_anothers_id_as_for_nobodys(
    house: House, pair: Pair
) -> None:
    """A statement more, or a row that was fetched and thrown away, could be told by the clock."""

    def asked(id_of_theirs: str, id_: str) -> dict[str, tuple[int, int]]:
        say("SELECT pg_stat_statements_reset()")
        for path, theirs in ways(pair):
            if theirs == id_of_theirs:
                pair.a.company.get(path.replace(theirs, id_))
        return {query: (calls, rows) for query, calls, rows in say(SAID)}

    with behind.server(house, "postgres") as say:
        for id_ in dict(ways(pair)).values():
            asked(id_, id_)  # whatever is done once has been done then
            assert asked(id_, id_) == asked(id_, str(uuid.uuid4())) != {}


def test_a_company_can_not_be_chosen_in_a_body(pair: Pair) -> None:
    a, b = pair.a.company, pair.b
    before = b.company.everything()
    for name in ("tenant_id", "tenant", "company_id"):
        said = {"name": f"for {a.word}", "email": "x@example.com", name: b.company.id}
        assert a.send("POST", "/customers", said).status_code in {201, 422}
    assert b.company.everything() == before


def test_rows_of_the_same_ids_are_independent(house: House) -> None:
    first, second = house.company(), house.company()
    customer, invoice = str(uuid.uuid4()), str(uuid.uuid4())
    for company in (first, second):
        said = {"id": customer, "name": company.word, "email": "same@example.com"}
        company.made("/customers", said)
        made = company.made("/invoices", invoiced(customer, company.word, id=invoice))
        assert made["number"] == 1
    before = second.everything()
    paid = invoiced(customer, first.word, status="paid")
    assert first.send("PUT", f"/invoices/{invoice}", paid).json()["status"] == "paid"
    assert second.everything() == before
    assert second.get(f"/invoices/{invoice}").json()["title"] == second.word
    assert first.send("DELETE", f"/invoices/{invoice}").status_code == 204
    assert first.send("DELETE", f"/customers/{customer}").status_code == 204
    assert second.everything() == before
    assert first.everything() == ""


def test_an_export_has_all_of_the_own_and_nothing_else(pair: Pair) -> None:
    response = pair.b.company.get("/export")
    assert response.headers["transfer-encoding"] == "chunked"
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [line["kind"] for line in lines] == ["customer", "invoice", "comment", "file"]
    b = pair.b
    assert [line["id"] for line in lines] == [b.customer, b.invoice, b.comment, b.file]
    assert pair.a.word not in pair.b.company.everything()
    assert pair.b.word not in pair.a.company.everything()


@pytest.mark.parametrize("house", ["rows", "files"], indirect=True)
def test_an_export_has_more_than_one_portion(house: House) -> None:
    company = house.company()
    for number in range(101):  # one more than is read at once
        company.made("/customers", {"name": f"{number} {company.word}", "email": "x@example.com"})
    assert company.get("/export").text.count(company.word) == 101


@pytest.mark.parametrize("house", ["rows"], indirect=True)
def test_without_policies_the_same_requests_reach_all(house: House, pair: Pair) -> None:
    """So that those above are known to fail when a wall is gone."""
    tables = ("customers", "invoices", "comments", "files")
    a, b = pair.a.company, pair.b
    for table in tables:
        behind.say(house, f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    try:
        for path in LISTS:
            assert b.word in a.get(path, limit=200).text
        assert len(a.get("/invoices", customer_id=b.customer).json()) == 1
        assert {hit["kind"] for hit in a.get("/search", q=b.word).json()} == KINDS
        assert b.word in a.get("/export").text
        assert a.get(f"/customers/{b.customer}").status_code == 404  # its key has the tenant in it
    finally:
        for table in tables:
            behind.say(house, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    assert a.get("/search", q=b.word).json() == []
