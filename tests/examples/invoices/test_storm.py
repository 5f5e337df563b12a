"""Many companies on one pool, with callers who hang up and backends that die."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.examples.invoices.houses import Company, House
from tests.examples.invoices.pairs import Pair, invoiced
from tests.examples.invoices.wire import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Postgres

COMPANIES, REQUESTS, LINES = 50, 400, 16
READS = (
    "/invoices",
    "/customers",
    "/invoices?status=sent",
    "/search?q=w",
    "/export",
    "/customers?limit=9",
    "/invoices?limit=9",
    "/invoices?status=draft",
    "/customers?email=x@example.com",
)
WORD = re.compile(rb"w[0-9a-f]{32}")
HUNG_UP = 0.1
"""The share of callers who don't wait for the answer."""

KILL_EVERY = 40
"""So many requests later a backend is killed, one in the middle of something if there is one."""

KILL = """
SELECT pg_terminate_backend(pid) FROM (
    SELECT pid FROM pg_stat_activity WHERE usename = 'app'
    ORDER BY state = 'idle', random() LIMIT 1
) AS unlucky
"""


def words(body: bytes) -> set[str]:
    """The companies whose word occurs in an answer."""
    return {word.decode() for word in WORD.findall(body)}


def test_ten_requests_at_once_leave_nothing_for_another_company(pair: Pair) -> None:
    """The pool has ten connections: each was the first company's a moment ago."""
    a, b = pair.a.company, pair.b.company
    base = str(a.client.base_url)

    async def asked(company: Company, path: str) -> set[str]:
        with Line(base) as line:
            answer = await line.ask("GET", path, company.headers)
        assert answer.status == 200
        return words(answer.body)

    async def main() -> None:
        for path in ("/customers", "/invoices", "/export", "/search?q=w"):
            for company in (a, b, a, b):
                found = await asyncio.gather(*(asked(company, path) for _ in range(10)))
                assert found == [{company.word}] * 10

    asyncio.run(main())


@dataclass
class Storm:
    """What happened to many requests.

    Attributes:
        kept: titles of invoices whose making was answered with 201, by company.
        tried: titles of all that were asked for.
        leaks: answers in which another company's word occurs.
        statuses: how often there was which.
    """

    companies: dict[str, Company]
    customers: dict[str, str]
    kept: dict[str, set[str]] = field(default_factory=dict)
    tried: dict[str, set[str]] = field(default_factory=dict)
    leaks: list[tuple[str, set[str]]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    hung_up: int = 0
    killed: int = 0

    def orders(self, chance: random.Random) -> Iterator[tuple[str, int, float]]:
        """Whose request comes next, its number, and what happens to it."""
        for number in range(REQUESTS):
            yield chance.choice(list(self.companies)), number, chance.random()

    async def request(self, line: Line, word: str, number: int, fate: float) -> None:
        """One request of a company."""
        company, title = self.companies[word], f"{word} {number}"
        making = number % 3 == 0
        method, path, body = "GET", READS[number % len(READS)], b""
        if making:
            method, path = "POST", "/invoices"
            body = json.dumps(invoiced(self.customers[word], title)).encode()
            self.tried.setdefault(word, set()).add(title)
        if fate < HUNG_UP:
            self.hung_up += 1
            await line.drop(method, path, company.headers, body, after_s=fate / 10)
            return
        try:
            answer = await line.ask(method, path, company.headers, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.statuses[0] += 1  # an export that was cut off in the middle
            return
        self.statuses[answer.status] += 1
        if words(answer.body) - {word}:
            self.leaks.append((path, words(answer.body) - {word}))
        if making and answer.status == 201:
            self.kept.setdefault(word, set()).add(title)

    async def blow(self, house: House) -> None:
        """Send all of them, over several lines at once."""
        orders = self.orders(random.Random(4))  # noqa: S311 - the same storm each time

        async def caller() -> None:
            with Line(house.base) as line:
                for word, number, fate in orders:
                    await self.request(line, word, number, fate)
                    if number % KILL_EVERY == 0 and house.server is not None:
                        await self.kill(house.server)

        await asyncio.gather(*(caller() for _ in range(LINES)))

    async def kill(self, server: Postgres) -> None:
        """Terminate a backend of the application."""
        connecting = psycopg.AsyncConnection.connect(server.url(), autocommit=True)
        async with await connecting as connection:
            cursor = await connection.execute(KILL)
            self.killed += len(await cursor.fetchall())


def test_in_a_storm_nothing_leaks_and_no_write_is_lost(house: House) -> None:
    companies = {company.word: company for company in house.companies(COMPANIES)}
    customers = {
        word: company.made("/customers", {"name": word, "email": "x@example.com"})["id"]
        for word, company in companies.items()
    }
    storm = Storm(companies, customers)
    asyncio.run(storm.blow(house))

    assert storm.leaks == []
    assert storm.statuses.keys() <= {0, 200, 201, 503}
    assert storm.statuses[200] + storm.statuses[201] > REQUESTS * (1 - HUNG_UP) * 0.9
    assert storm.hung_up > REQUESTS * HUNG_UP / 2
    assert storm.killed > REQUESTS / 50 or house.server is None
    for word, company in companies.items():
        lines = map(json.loads, company.get("/export").text.splitlines())
        invoices = [line for line in lines if line["kind"] == "invoice"]
        titles = [line["title"] for line in invoices]
        assert len(titles) == len(set(titles))
        assert storm.kept.get(word, set()) <= set(titles) <= storm.tried.get(word, set())
        numbers = sorted(line["number"] for line in invoices)
        assert numbers == list(range(1, len(numbers) + 1))
