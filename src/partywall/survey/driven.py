"""What surveys of cache, jobs and objects ask of whoever drives the surveyed application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Driven:
    """One request of the application, and its answer.

    Attributes:
        request: the command that sends it, fit for a report: secrets are environment variables.
        text: the answer's body, and those headers that carry what is the application's.
        headers: of the answer, their names in lower case.
    """

    request: str
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether it was answered as asked (2xx)."""
        return 200 <= self.status < 300  # noqa: PLR2004 - that is what 2xx means


@dataclass(frozen=True, slots=True)
class Made:
    """Something that a tenant made, and the id by which it is asked for."""

    id: str
    driven: Driven


class Driving(Protocol):
    """Uses the application as each tenant would."""

    @property
    def tenants(self) -> Sequence[str]:
        """Whom it can act as."""

    def marks(self, tenant: str, text: str) -> Collection[str]:
        """What in *text* is this tenant's, and nobody else's: canaries, ids that tell."""

    async def drive(self, tenant: str) -> Sequence[Driven]:
        """Do what every tenant does, the same requests in the same order for each."""

    async def send(
        self,
        tenant: str,
        method: str,
        path: str,
        json: Any = None,  # noqa: ANN401 - any JSON
    ) -> Driven:
        """Ask one thing as *tenant*."""

    async def make(self, tenant: str, operation: str) -> Made | None:
        """Make something new by that operation, with canaries; None where that can't be done."""

    async def accepted(self) -> Sequence[tuple[str, str]]:
        """Operations that make what takes a while (202), each with the one that tells of it."""
