"""Two companies in the reference application, on every isolation model, through HTTP.

Each attempt has a control: the company whose data it is can do the same.
"""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.examples.invoices.pairs import Pair, invoiced, same_as_nobody

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
        (f"/invoices/{b.invoice}/files", b.invoice),
        (f"/files/{b.file}", b.file),
    ]


def test_nothing_is_read_by_its_id(pair: Pair) -> None:
    for path, id_ in ways(pair):
        same_as_nobody(pair.a.company, "GET", path, id_)
        control = pair.b.company.get(path)
        assert control.status_code == 200
        assert pair.b.word in control.text


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
    a, b = pair.a, pair.b
    before = b.company.everything()
    said = {"name": "taken", "email": "taken@example.com"}
    same_as_nobody(a.company, "PUT", f"/customers/{b.customer}", b.customer, said)
    taken = invoiced(a.customer, "taken")
    same_as_nobody(a.company, "PUT", f"/invoices/{b.invoice}", b.invoice, taken)
    assert b.company.everything() == before


def test_nothing_is_moved(pair: Pair) -> None:
    a, b = pair.a, pair.b
    before, own = b.company.everything(), a.company.everything()
    to_theirs = invoiced(b.customer, f"Hours {a.word}")
    same_as_nobody(a.company, "PUT", f"/invoices/{a.invoice}", b.customer, to_theirs)
    same_as_nobody(a.company, "POST", "/invoices", b.customer, to_theirs)
    assert b.company.everything() == before
    assert a.company.everything() == own


def test_nothing_is_deleted(pair: Pair) -> None:
    b = pair.b
    before = b.company.everything()
    for path, id_ in (
        (f"/customers/{b.customer}", b.customer),
        (f"/invoices/{b.invoice}", b.invoice),
        (f"/comments/{b.comment}", b.comment),
        (f"/files/{b.file}", b.file),
    ):
        same_as_nobody(pair.a.company, "DELETE", path, id_)
    assert b.company.everything() == before


def test_no_comment_and_no_file_on_anothers_invoice(pair: Pair) -> None:
    a, b = pair.a.company, pair.b
    before, own = b.company.everything(), a.everything()
    same_as_nobody(a, "POST", f"/invoices/{b.invoice}/comments", b.invoice, {"body": "mine"})
    theirs, nobodys = (a.upload(id_, "x", b"x") for id_ in (b.invoice, str(uuid.uuid4())))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content
    assert b.company.everything() == before
    assert a.everything() == own


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


def test_the_same_work_at_once_is_independent(house: House) -> None:
    companies = [house.company(), house.company()]
    with ThreadPoolExecutor(8) as pool:
        customers = [
            company.made("/customers", {"name": company.word, "email": "x@example.com"})["id"]
            for company in companies
        ]
        made = [
            pool.submit(company.made, "/invoices", invoiced(customer, company.word))
            for _ in range(8)
            for company, customer in zip(companies, customers, strict=True)
        ]
        ids = [each.result()["id"] for each in made]
    assert len(set(ids)) == 16
    for company in companies:
        invoices = company.get("/invoices").json()
        assert [each["number"] for each in invoices] == list(range(1, 9))
        assert {each["title"] for each in invoices} == {company.word}


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
        house.owner(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    try:
        for path in LISTS:
            assert b.word in a.get(path, limit=200).text
        assert len(a.get("/invoices", customer_id=b.customer).json()) == 1
        assert {hit["kind"] for hit in a.get("/search", q=b.word).json()} == KINDS
        assert b.word in a.get("/export").text
        assert a.get(f"/customers/{b.customer}").status_code == 404  # its key has the tenant in it
    finally:
        for table in tables:
            house.owner(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    assert a.get("/search", q=b.word).json() == []
