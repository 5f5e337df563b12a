"""How a project's own code asks the API: one call, and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from partywall.survey.http.wire import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.wire import Answer, Wire


class Send(Protocol):
    """Asks the API, with what the caller has for credentials."""

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,  # noqa: ANN401 - any JSON
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to that request."""


def asking(wire: Wire, actor: Actor) -> Send:
    """The ``send`` of a hook: asks by *wire* as *actor*."""

    async def send(
        method: str,
        path: str,
        *,
        json: Any = None,  # noqa: ANN401 - any JSON
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        request = Request(
            method.upper(), path, tuple((query or {}).items()), tuple((headers or {}).items())
        )
        if form is not None:
            request = request.but(media="application/x-www-form-urlencoded", body=dict(form))
        elif json is not None:
            request = request.but(media="application/json", body=json)
        return await wire.send(actor, request)

    return send
