"""What a company may have: as much as it may and no more, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from partywall.control import quotas
from partywall.control.database import Database
from tests.examples.invoices.pairs import invoiced

if TYPE_CHECKING:
    from tests.examples.invoices.houses import Company, House

CONTENT = b"x" * 1000


@pytest.fixture
def company(house: House) -> Company:
    return house.company()


def limit(house: House, company: Company, kind: str, most: int) -> None:
    with closing(Database(house.control_url)) as database, database.begin() as connection:
        quotas.set_limit(connection, company.id, kind, most)


def invoice(company: Company) -> str:
    customer = company.made("/customers", {"name": company.word, "email": "x@example.com"})
    return str(company.made("/invoices", invoiced(customer["id"], company.word))["id"])


def uploads(company: Company, invoice_id: str, times: int) -> list[int]:
    """The statuses of so many uploads at once, sorted."""
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda _: company.upload(invoice_id, "a", CONTENT), range(times))
        return sorted(answer.status_code for answer in answers)


def test_files_fill_their_storage_and_no_more(house: House, company: Company) -> None:
    other = house.company()
    limit(house, company, "storage_bytes", 5 * len(CONTENT))
    first, second = invoice(company), invoice(company)
    assert uploads(company, first, 12) == [201] * 5 + [429] * 7
    refused = company.upload(second, "a", CONTENT)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert "storage_bytes" in refused.json()["detail"]
    assert other.upload(invoice(other), "a", CONTENT).status_code == 201

    kept = company.get(f"/invoices/{first}/files").json()
    assert len(kept) == 5
    assert company.send("DELETE", f"/files/{kept[0]['id']}").status_code == 204
    assert uploads(company, second, 3) == [201, 429, 429]
    assert company.send("DELETE", f"/invoices/{first}").status_code == 204
    assert uploads(company, second, 6) == [201] * 4 + [429] * 2
    told = {each["kind"]: each for each in company.get("/quotas").json()}
    assert (told["storage_bytes"]["limit"], told["storage_bytes"]["used"]) == (5000, 5000)


def test_what_was_not_kept_is_not_counted(house: House, company: Company) -> None:
    limit(house, company, "storage_bytes", len(CONTENT))
    mine = invoice(company)
    for _ in range(3):
        assert company.upload(invoice(house.company()), "a", CONTENT).status_code == 404
    assert uploads(company, mine, 1) == [201]


def test_requests_a_minute(house: House, company: Company) -> None:
    limit(house, company, "requests_per_minute", 0)
    refused = company.get("/customers")
    while refused.status_code == 200:  # what the process held already
        refused = company.get("/customers")
    assert refused.status_code == 429
    assert 0 <= int(refused.headers["retry-after"]) <= 60
    assert house.company().get("/customers").status_code == 200
