"""Two companies with something of everything, and what one of them tries against the other."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.examples.invoices.houses import Company

CHANGING = ("date",)
"""The headers in which two answers to the same may differ."""


@dataclass(frozen=True)
class Furnished:
    """A company with one of everything; its word is in each."""

    company: Company
    customer: str
    invoice: str
    comment: str
    file: str

    @property
    def word(self) -> str:
        """Occurs in all that the company has."""
        return self.company.word


@dataclass(frozen=True)
class Pair:
    """Two companies: the first tries, the second has."""

    a: Furnished
    b: Furnished


def furnished(company: Company) -> Furnished:
    """Give a company something of everything."""
    word = company.word
    customer = company.made("/customers", {"name": f"Ann {word}", "email": f"{word}@example.com"})
    invoice = company.made("/invoices", invoiced(customer["id"], f"Hours {word}"))
    comment = company.made(f"/invoices/{invoice['id']}/comments", {"body": f"Paid late {word}"})
    file = company.upload(invoice["id"], f"{word}.txt", f"content {word}".encode())
    assert file.status_code == 201
    return Furnished(company, customer["id"], invoice["id"], comment["id"], file.json()["id"])


def invoiced(customer_id: str, title: str, **more: str) -> dict[str, Any]:
    """What is said of an invoice."""
    return {"customer_id": customer_id, "title": title, "cents": 4200, "status": "sent", **more}


def same_as_nobody(company: Company, method: str, path: str, id_: str, json: object = None) -> None:
    """Show that *company* gets the same answer for an id of another's as for one nobody has.

    *path* and *json* hold the id; wherever it stands, another one is tried as well.
    """
    nobody = str(uuid.uuid4())
    theirs = company.send(method, path, json)
    other = replaced(json, id_, nobody)
    nobodys = company.send(method, path.replace(id_, nobody), other)
    assert theirs.status_code == nobodys.status_code == 404
    assert answer(theirs) == answer(nobodys)


def replaced(json: object, id_: str, other: str) -> object:
    """*json* with another id."""
    if not isinstance(json, dict):
        return json
    return {name: other if value == id_ else value for name, value in json.items()}


def answer(response: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that an answer says."""
    said = [pair for pair in response.headers.multi_items() if pair[0] not in CHANGING]
    return response.status_code, response.content, said
