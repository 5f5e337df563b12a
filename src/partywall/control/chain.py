r"""The chain of hashes through an audit log: what is hashed, and how anybody can check it.

An entry is one JSON object with the members ``action``, ``actor``, ``at``, ``detail``, ``number``,
``previous``, ``source``, ``subject``, ``tenant_id`` and ``hash``.

- ``number`` counts from 1 without a gap; all others are text, but for ``detail``, an object.
- ``at`` is in UTC, with six digits of a second: ``2027-06-30T12:00:00.000000Z``.
- ``previous`` is the ``hash`` of the entry before, 64 zeros in the first.
- ``hash`` is SHA-256, in lower-case hexadecimal, over the object without its member ``hash``, in
  canonical form and UTF-8.

The canonical form is that of RFC 8785: members sorted by name, no white space, ``"``, ``\`` and
what is below U+0020 escaped and nothing else. Numbers are whole and within ±(2⁵³ - 1): no two
implementations write those differently. An export has one such object a line, in canonical form,
`hash` included: to check a line take ``hash`` out, and hash what is left.

Nothing here is a secret, so whoever may write to the database can also make a chain that holds,
from any entry on. That is seen by who kept a `Head` elsewhere: a number and its hash.
https://www.rfc-editor.org/rfc/rfc8785
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from partywall.errors import InvalidRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Plain: TypeAlias = "str | int | bool | None"
Detail: TypeAlias = "Mapping[str, Plain | list[str]]"
"""What may stand in an entry: names and numbers. A row of a tenant has no place here."""

LARGEST = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly."""

ORIGIN = bytes(32)
"""What stands before the first entry."""

MEMBERS = frozenset(
    {
        "action", "actor", "at", "detail", "hash", "number", "previous", "source", "subject",
        "tenant_id",
    }
)  # fmt: skip
HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an audit log.

    Attributes:
        tenant_id: whose log; "" for what concerns no tenant.
        number: its place, from 1.
        at: when.
        actor: who: a user's id, an API key's, or the name of a process.
        action: what: ``member.removed``.
        subject: of what: an id.
        source: from where: an address.
        detail: what else; names and numbers.
        previous: the hash of the entry before.
        hash: see the module.
    """

    tenant_id: str
    number: int
    at: dt.datetime
    actor: str
    action: str
    subject: str
    source: str
    detail: Detail
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """An entry's number and hash: kept elsewhere, it shows what later happens to those before."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        """As `parsed` reads it: ``12:ab34…``."""
        return f"{self.number}:{self.hash.hex()}"

    @classmethod
    def parsed(cls, text: str) -> Head:
        """The head that was printed or noted.

        Raises:
            InvalidRecord: when it is none.
        """
        found = HEAD.fullmatch(text.strip())
        if found is None:
            raise InvalidRecord(
                "a head is a number, a colon and 64 hexadecimal digits, as `partywall log verify` "
                "prints it"
            )
        return cls(int(found[1]), bytes.fromhex(found[2]))


EMPTY = Head(0, ORIGIN)
"""Of a log without entries."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of a chain found.

    Attributes:
        entries: how many hold, from the first.
        broken_at: the number of the first entry that is missing, changed or in a wrong place;
            None when the chain is whole.
        because: what is wrong with it, "" when nothing is.
        head: of the last entry that holds.
    """

    entries: int
    broken_at: int | None
    because: str
    head: Head

    @property
    def whole(self) -> bool:
        """Whether nothing is broken."""
        return self.broken_at is None


def canonical(value: Mapping[str, Any]) -> str:
    """An object in canonical form.

    Raises:
        InvalidRecord: when it holds what has none: a fraction, a number beyond ±(2⁵³ - 1), half
            of a surrogate pair, a name that is not ASCII.
    """
    checked(value)
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    )


def checked(value: object) -> None:
    """Take what has one canonical form, and the same in PostgreSQL, SQLite and JSON.

    Raises:
        InvalidRecord: for anything else; the message doesn't repeat the value.
    """
    match value:
        case None | bool():
            return
        case int() if -LARGEST <= value <= LARGEST:
            return
        case str() if "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value):
            return
        case list() | tuple():
            for one in value:
                checked(one)
        case dict():
            for name, one in value.items():
                # The order of other names depends on how a reader compares them.
                if not isinstance(name, str) or not name.isascii() or "\0" in name:
                    raise InvalidRecord("a name in an audit entry's detail is not ASCII")
                checked(one)
        case _:
            raise InvalidRecord(
                f"an audit entry can't hold this {type(value).__name__}: it takes text, whole "
                "numbers within ±(2^53 - 1), true, false and null"
            )


def written_at(moment: dt.datetime) -> str:
    """A moment as it is hashed."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def document(entry: Entry) -> dict[str, Any]:
    """The entry as its JSON object, with its hash."""
    return {
        "action": entry.action,
        "actor": entry.actor,
        "at": written_at(entry.at),
        "detail": entry.detail,
        "hash": entry.hash.hex(),
        "number": entry.number,
        "previous": entry.previous.hex(),
        "source": entry.source,
        "subject": entry.subject,
        "tenant_id": entry.tenant_id,
    }


def digest(written: Mapping[str, Any]) -> bytes:
    """The hash of an entry, of all its members but `hash`.

    Raises:
        InvalidRecord: when it has no canonical form.
    """
    text = canonical({name: value for name, value in written.items() if name != "hash"})
    return hashlib.sha256(text.encode()).digest()


class Chain:
    """A chain as it is walked, entry after entry.

    Args:
        head: of an earlier time, which must be on it.
        tenant_id: whose; None for that of the first entry.
    """

    def __init__(self, head: Head | None = None, tenant_id: str | None = None) -> None:
        self.last = EMPTY
        self._head = head
        self._tenant: object = tenant_id

    def refusal(self, written: Mapping[str, Any]) -> str:
        """Why this can't be the next entry; "" when it is, and then the chain ends with it."""
        number = self.last.number + 1
        if self._tenant is None:
            self._tenant = written.get("tenant_id")
        if fault := self._fault(written, number):
            return fault
        here = Head(number, bytes.fromhex(written["hash"]))
        if self._head is not None and self._head.number == number and self._head != here:
            return "its hash is another than that of the head which was given"
        self.last = here
        return ""

    def _fault(self, written: Mapping[str, Any], number: int) -> str:
        if written.keys() != MEMBERS:
            return "its members are not those of an entry"
        if type(written["number"]) is not int or written["number"] != number:
            return "it is missing: another stands in its place"
        if written["tenant_id"] != self._tenant:
            return "it is of another tenant's log"
        if written["previous"] != self.last.hash.hex():
            return "it does not follow on the entry before"
        try:
            right = written["hash"] == digest(written).hex()
        except InvalidRecord as error:
            return str(error)
        return "" if right else "its content is not what was hashed"

    def broken(self, because: str) -> Verification:
        """What was found when the entry after the last that holds does not."""
        return Verification(self.last.number, self.last.number + 1, because, self.last)

    def ended(self) -> Verification:
        """What was found when there is no further entry."""
        if self._head is not None and self._head.number > self.last.number:
            return self.broken("it is missing: the log was longer when the head was noted")
        return Verification(self.last.number, None, "", self.last)


def verify_export(lines: Iterable[str], *, head: Head | None = None) -> Verification:
    """Check the lines of an export; no database is asked.

    Args:
        lines: of `partywall.control.audit.exported`, of one log from its first entry on.
        head: one that was kept elsewhere; without it a log whose end was cut off looks whole.
    """
    chain = Chain(head)
    for line in lines:
        try:
            written = json.loads(line)
            alike = isinstance(written, dict) and canonical(written) == line.rstrip("\r\n")
        except (ValueError, RecursionError, InvalidRecord):
            return chain.broken("its line is not JSON as an export has it")
        if not alike:
            return chain.broken("its line is not in canonical form")
        if fault := chain.refusal(written):
            return chain.broken(fault)
    return chain.ended()
