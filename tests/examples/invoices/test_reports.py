"""One kind of work in two companies at the same moment: each has its own figures and ids."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from tests.examples.invoices.pairs import invoiced
from tests.examples.invoices.wire import Line

if TYPE_CHECKING:
    from tests.examples.invoices.houses import Company, House

PATIENCE_S = 10.0


def test_the_same_work_at_once_has_results_and_ids_of_its_own(house: House) -> None:
    """Each company writes invoices, and adds them up, in the same moments as the other."""
    companies = [house.company(), house.company()]
    counts = dict(zip(companies, (3, 5), strict=True))
    wanted = []
    for company, count in counts.items():
        customer = company.made("/customers", {"name": company.word, "email": "x@example.com"})
        wanted += [(company, invoiced(customer["id"], company.word))] * count
    invoices = at_once(house, "/invoices", wanted)
    assert len({invoice["id"] for _, invoice in invoices}) == len(wanted)
    for company, count in counts.items():
        own = company.get("/invoices").json()
        assert [invoice["number"] for invoice in own] == list(range(1, count + 1))
        assert {invoice["title"] for invoice in own} == {company.word}

    works = at_once(house, "/reports", [(company, {}) for company in companies * 4])
    assert len({work["id"] for _, work in works}) == len(works)
    for company, work in works:
        assert (work["state"], work["invoices"]) == ("begun", 0)
        report = done(company, work["id"])
        assert (report["invoices"], report["cents"]) == (counts[company], 4200 * counts[company])
        (other,) = set(companies) - {company}
        assert other.get(f"/reports/{work['id']}").status_code == 404


def at_once(
    house: House, path: str, wanted: list[tuple[Company, dict[str, Any]]]
) -> list[tuple[Company, dict[str, Any]]]:
    """What POSTs in the same moment have made, each on a connection of its own."""

    async def made(company: Company, said: dict[str, Any]) -> tuple[Company, dict[str, Any]]:
        with Line(house.base) as line:
            answer = await line.ask("POST", path, company.headers, json.dumps(said).encode())
        assert answer.status in {201, 202}, answer.body
        return company, json.loads(answer.body)

    async def main() -> list[tuple[Company, dict[str, Any]]]:
        return await asyncio.gather(*(made(*each) for each in wanted))

    return asyncio.run(main())


def done(company: Company, report_id: str) -> dict[str, Any]:
    """A report when it is done."""
    end = time.monotonic() + PATIENCE_S
    while True:
        report: dict[str, Any] = company.get(f"/reports/{report_id}").json()
        if report["state"] == "done":
            return report
        assert time.monotonic() < end
        time.sleep(0.01)
