"""What each mistake of the reference application lets through, asked without a probe."""

from __future__ import annotations

import tomllib
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from websockets.sync.client import connect

from tests.examples.invoices.houses import PATIENCE_S, Company
from tests.examples.invoices.pairs import Pair, furnished

NOT_FOUND = 404
LENT = 5
EXPORTED = "GET /exports/{export_id}/content"
LIVE = "WS /invoices/{invoice_id}/live"

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def leaking(file: Path) -> set[tuple[str, str]]:
    """The operations by which the first company of a partywall.toml gets at what is the second's.

    Returns:
        Each with its effect.
    """
    with pair(file) as two:
        return {each for each, leaks in asked(two) if leaks}


def asked(two: Pair) -> Iterator[tuple[tuple[str, str], bool]]:
    """Each operation and effect that a mistake is made in, and whether it leaks."""
    a, b = two.a.company, two.b
    comment = f"/invoices/{two.a.invoice}/comments/{b.comment}"
    batch, theirs = {"ids": [two.a.invoice, b.invoice]}, {**a.headers, "X-Company": b.company.id}
    assert b.word in b.company.get("/debtors").text  # what a cache is warm with
    for at, answer in (
        ("GET /invoices", a.get("/invoices", customer_id=b.customer)),
        ("GET /search", a.get("/search", q=b.word)),
        ("GET /invoices/{invoice_id}/comments/{comment_id}", a.get(comment)),
        ("GET /export", a.get("/export")),
        ("POST /invoices/batch", a.send("POST", "/invoices/batch", batch)),
        ("GET /customers", a.client.get("/customers", headers=theirs)),
        ("GET /files/{file_id}", a.get(f"/files/{b.file}")),
        ("GET /debtors", a.get("/debtors")),
        (EXPORTED, [two.b.exported(), two.a.exported()][-1]),
    ):
        yield (at, "read"), b.word in answer.text
    lent = [who.get("/invoices").text for _ in range(LENT) for who in (a, b.company)]
    yield ("GET /invoices", "read"), two.a.word in "".join(lent[1::2])
    yield (LIVE, "read"), overheard(two)
    customer = f"/customers/{b.customer}"
    yield ("GET /customers/{customer_id}", "detect"), a.get(customer).status_code != NOT_FOUND

    word = uuid.uuid4().hex
    new = {"name": word, "email": f"{word}@example.com"}
    a.send("PUT", customer, new)
    yield ("PUT /customers/{customer_id}", "write"), word in b.company.get(customer).text
    word = uuid.uuid4().hex
    new = {"name": word, "email": f"{word}@example.com", "tenant_id": b.company.id}
    a.send("POST", "/customers", new)
    hits = b.company.get("/customers", email=new["email"]).json()
    yield ("POST /customers", "write"), bool(hits)


def overheard(two: Pair) -> bool:
    """Whether the first, who looks at an invoice of its own, hears what the second says."""
    path = f"/invoices/{two.a.invoice}/live"
    base = str(two.a.company.client.base_url).rstrip("/").replace("http", "ws", 1)
    with connect(base + path, additional_headers=two.a.company.headers) as socket:
        for each in (two.b, two.a):  # its own comes, and comes last
            said = {"body": f"live {each.word}"}
            each.company.made(f"/invoices/{each.invoice}/comments", said)
        heard = ""
        while two.a.word not in heard:
            heard += str(socket.recv(PATIENCE_S))
    return two.b.word in heard


@contextmanager
def pair(file: Path) -> Iterator[Pair]:
    """The companies of a partywall.toml, with something of everything."""
    told = tomllib.loads(file.read_text())
    with httpx.Client(base_url=told["api"]["base"], timeout=PATIENCE_S) as client:
        a, b = (furnished(logged_in(client, *each)) for each in told["tenants"].items())
        yield Pair(a, b)


def logged_in(client: httpx.Client, slug: str, told: dict[str, Any]) -> Company:
    """A company of a partywall.toml."""
    said = told["login"]["request"]["json"]
    token = client.post("/log-in", json=said).raise_for_status().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return Company(told["own"]["tenant_id"], slug, f"w{uuid.uuid4().hex}", headers, slug, client)
