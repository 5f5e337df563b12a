"""The surveyed application, driven as the probe drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from partywall.survey.driven import Driven, Made
from partywall.survey.http.furnishing import bound
from partywall.survey.http.operations import PLACEHOLDER
from partywall.survey.http.wire import Request

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from partywall.survey.driving.drive import Drive
    from partywall.survey.http.resources import Exchange

ACCEPTED = 202


class Application:
    """Every tenant is signed in, and has something of each kind.

    What it does: all that only reads, one more of each kind, and the reads again.
    """

    def __init__(self, drive: Drive) -> None:
        self._drive = drive

    @property
    def tenants(self) -> Sequence[str]:
        """All that are declared."""
        return self._drive.tenants

    def marks(self, tenant: str, text: str) -> Collection[str]:
        """What the probe's ledger knows to be this tenant's."""
        return self._drive.world.ledger.evidence(tenant, text)

    async def drive(self, tenant: str) -> Sequence[Driven]:
        """Each GET, then one more of each kind, and each GET again.

        An application that forgets on each write what it has kept would hide, from whoever writes
        first, what it still keeps of another.
        """
        answers = await self._read(tenant)
        kinds = list(self._drive.world.graph.kinds)
        made = [await self._drive.fresh(tenant, kind) for kind in kinds]
        answers += [self._driven(one.made) for one in made if one is not None and one.made]
        return (*answers, *await self._read(tenant))

    async def _read(self, tenant: str) -> list[Driven]:
        world = self._drive.world
        answers = []
        for operation in world.api.operations:
            if operation.method != "GET" or world.left_out(operation):
                continue
            ids = await bound(world, tenant, operation)
            if ids is not None:
                request = self._drive.rendered(tenant, operation, ids)
                answers.append(self._driven(await self._drive.ask(tenant, request)))
        return answers

    async def send(
        self,
        tenant: str,
        method: str,
        path: str,
        json: Any = None,  # noqa: ANN401 - any JSON
    ) -> Driven:
        """Ask one thing as *tenant*."""
        target, _, query = path.partition("?")
        request = Request(
            method,
            target,
            tuple(parse_qsl(query, keep_blank_values=True)),
            media="" if json is None else "application/json",
            body=json,
        )
        return self._driven(await self._drive.ask(tenant, request))

    async def make(self, tenant: str, operation: str) -> Made | None:
        """One more of the kind that *operation* makes."""
        for kind in self._drive.world.graph.kinds.values():
            if operation in [maker.at for maker in kind.makers]:
                made = await self._drive.fresh(tenant, kind.name)
                if made is not None and made.made is not None:
                    return Made(str(made.id), self._driven(made.made))
        return None

    async def accepted(self) -> Sequence[tuple[str, str]]:
        """Kinds whose making was answered with 202."""
        found = []
        for kind in self._drive.world.graph.kinds.values():
            base = await self._drive.base(self.tenants[0], kind.name)
            if base is None or base.made is None or base.made.answer.status != ACCEPTED:
                continue
            if kind.makers and kind.readers:
                status = PLACEHOLDER.sub("{id}", kind.readers[0].at)
                found.append((kind.makers[0].at, status))
        return found

    def _driven(self, done: Exchange) -> Driven:
        answer = done.answer
        step = self._drive.step(done)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Driven(step.request, answer.status, answer.all, headers)
