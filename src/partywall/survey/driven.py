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
        text: the answer's body.
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


class Driving(Protocol):
    """Uses the application as each tenant would."""

    @property
    def tenants(self) -> Sequence[str]:
        """Whom it can act as."""

    def canaries(self, tenant: str) -> Collection[str]:
        """Texts that stand in this tenant's data, and nowhere else."""

    def drive(self, tenant: str) -> Sequence[Driven]:
        """Do what every tenant does, the same requests in the same order for each."""

    def send(
        self,
        tenant: str,
        method: str,
        path: str,
        json: Any = None,  # noqa: ANN401 - any JSON
    ) -> Driven:
        """Ask one thing as *tenant*; "" for nobody. An absolute *path* goes out without secrets."""


def first_with(answers: Sequence[Driven], texts: Collection[str]) -> Driven | None:
    """The first answer in which one of *texts* stands."""
    return next((one for one in answers if any(text in one.text for text in texts)), None)
