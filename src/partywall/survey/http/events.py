"""Listening at server-sent events, and which operations send them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from partywall.survey.http.curl import curl
from partywall.survey.http.ears import GOOD, Ear
from partywall.survey.http.operations import PLACEHOLDER
from partywall.survey.http.schemas import resolve
from partywall.survey.http.wire import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.http.operations import Api, Operation
    from partywall.survey.http.wire import Wire

SHOWN = 300


@dataclass
class EventEar(Ear):
    """Somebody who waits for events."""

    async def listen(self) -> None:
        """Ask, and hear line by line."""
        try:
            async with self.wire.listening(self.actor, self.request) as found:
                self.status = found.status_code
                told = found.headers.get("content-type", "")
                if found.status_code != GOOD or not told.startswith(EVENTS):
                    said = " ".join((await found.aread()).decode(errors="replace").split())
                    self.refusal = f"the server answered {found.status_code} {said[:SHOWN]}"
                    return
                self.open()
                async for line in found.aiter_lines():
                    if line:
                        self.hears(line)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.refusal = f"{type(error).__name__}: {error}".rstrip(": ")

    def command(self, said: Sequence[str] = ()) -> str:
        """A curl that prints events as they come."""
        del said
        asked = curl(self.actor, self.request, self.wire.base, verify=self.wire.verify)
        return asked.replace("curl -sS -i", "curl -sSN -i", 1)


def sending(api: Api, wire: Wire) -> Iterator[Operation]:
    """Operations that say they send events, or did when they were asked."""
    for one in api.operations:
        if one.method == "GET" and (_described(api, one) or streams(wire, one)):
            yield one


def _described(api: Api, operation: Operation) -> bool:
    known: Any = api.document.get("paths", {})
    told = known.get(operation.path, {}).get(operation.method.lower(), {})
    answers = told.get("responses", {}) if isinstance(told, dict) else {}
    return any(
        EVENTS in resolve(one, api.document).get("content", {})
        for one in answers.values()
        if isinstance(one, dict)
    )


def streams(wire: Wire, operation: Operation) -> bool:
    """Whether it was answered with events, so that to ask it takes its time."""
    parts = PLACEHOLDER.split(operation.prefix + operation.path)
    pattern = re.compile("[^/]+".join(re.escape(part) for part in parts[::2]))
    return any(m == operation.method and pattern.fullmatch(path) for m, path in wire.streamed)
