"""Two companies with something of everything, and what one of them tries against the other."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.examples.invoices.houses import Company

OK = 200
PATIENCE_S = 60.0
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\n"


@dataclass(frozen=True)
class Furnished:
    """A company with one of everything; its word is in each."""

    company: Company
    customer: str
    invoice: str
    comment: str
    file: str
    report: str

    @property
    def word(self) -> str:
        """Occurs in all that the company has."""
        return self.company.word

    def exported(self) -> httpx.Response:
        """What an export has that is begun now."""
        begun = self.company.send("POST", "/exports").json()
        end = time.monotonic() + PATIENCE_S
        while (answer := self.company.get(f"/exports/{begun['id']}/content")).status_code != OK:
            assert time.monotonic() < end, answer.text
            time.sleep(0.02)
        return answer


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
    report = company.send("POST", "/reports").json()
    ids = [each["id"] for each in (customer, invoice, comment, file.json(), report)]
    return Furnished(company, *ids)


def invoiced(customer_id: str, title: str, **more: str) -> dict[str, Any]:
    """What is said of an invoice."""
    return {"customer_id": customer_id, "title": title, "cents": 4200, "status": "sent", **more}


def same_as_nobody(
    company: Company,
    method: str,
    path: str,
    id_: str,
    **said: Any,  # noqa: ANN401 - as httpx takes it
) -> None:
    """Show that *company* gets the same answer for an id of another's as for one nobody has.

    The whole of it is compared: status line, headers in their order, body. *path* and *said* hold
    the id; wherever it stands, another one is tried as well.
    """
    nobody = str(uuid.uuid4())
    theirs = company.heard(method, path, **said)
    nobodys = company.heard(method, path.replace(id_, nobody), **replaced(said, id_, nobody))
    assert theirs.startswith(NOT_FOUND)
    assert theirs == nobodys


def replaced(said: Any, id_: str, other: str) -> Any:  # noqa: ANN401 - whatever httpx takes
    """*said* with another id."""
    if isinstance(said, dict):
        return {name: replaced(value, id_, other) for name, value in said.items()}
    return other if said == id_ else said
