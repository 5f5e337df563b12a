"""Listening at socket.io: engine.io 4 over a WebSocket, and the events that join a room."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partywall.survey.http.actors import Actor
from partywall.survey.http.messages import NAMED, OPENING, TOKEN, token
from partywall.survey.http.operations import SOCKET, Operation, Parameter, Payload
from partywall.survey.http.sockets import TEXTS, SocketEar
from partywall.survey.http.wire import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.http.operations import Api
    from partywall.survey.http.world import World

PATH = "/socket.io/"
HANDSHAKE = (("EIO", "4"), ("transport", "websocket"))
POLLING = (("EIO", "4"), ("transport", "polling"))
PING, PONG, CONNECT, CONNECTED, EVENT, REFUSED = "2", "3", "40", "40", "42", "44"
BARE = re.compile(r"\w+")


@dataclass
class RoomEar(SocketEar):
    """Somebody at a socket.io server; its messages are events, as JSON lists."""

    async def greet(self) -> bool:
        """Ask to be let into the default namespace, showing the token as a client would."""
        shown = token(self.actor)
        auth = json.dumps({TOKEN: shown}) if shown else ""
        await super().say(CONNECT + auth)
        assert self.socket is not None  # noqa: S101 - it greets once it is connected
        async for message in self.socket:
            text = message if isinstance(message, str) else ""
            if text.startswith((CONNECTED, REFUSED)):
                break
        else:
            return False
        if text.startswith(REFUSED):
            self.refusal = f"the server refused: {text[len(REFUSED) :]}"
            await self.socket.close()
            return False
        return await super().greet()

    async def got(self, message: str) -> None:
        """Answer a ping; keep everything else."""
        if message == PING:
            await super().say(PONG)
        else:
            self.hears(message)

    async def say(self, text: str) -> None:
        """Send an event."""
        await super().say(EVENT + text)

    def command(self, said: Sequence[str] = ()) -> str:
        """The messages as they travel; the token that is shown in them is the header's."""
        plain = SocketEar(self.wire, self.actor, self.request)
        plain.messages = [CONNECT, *(EVENT + one for one in (*self.messages, *said))]
        return plain.command()


def channels(events: Mapping[str, Sequence[str]]) -> Iterator[Operation]:
    """What is heard after each declared event; without any, what is heard by itself."""
    query = tuple(
        Parameter(name, "query", required=True, example=value) for name, value in HANDSHAKE
    )
    if not events:
        yield Operation(SOCKET, PATH, query, known_from="guess")
    for event, arguments in events.items():
        told = json.dumps([event, *(argument(one) for one in arguments)], ensure_ascii=False)
        payload = Payload(OPENING, {}, example=told)
        yield Operation(SOCKET, f"{PATH}#{event}", query, (payload,), known_from="configuration")


def argument(text: str) -> Any:  # noqa: ANN401 - any JSON
    """What an event is sent with: a bare name is an id, a JSON text is what it says."""
    if BARE.fullmatch(text):
        return f"{{{text}}}"
    try:
        return json.loads(text)
    except ValueError:
        return text


async def answers(world: World) -> bool:
    """Whether a socket.io server is there."""
    asked = Request("GET", PATH, POLLING)
    answer = (await world.ask(Actor("nobody"), asked)).answer
    return answer.ok and answer.text.startswith("0{")


def named(api: Api) -> bool:
    """Whether anything that is known of the API speaks of socket.io."""
    return any("/socket.io" in one.path for one in (*api.operations, *api.sockets))


def guesses(operation: Operation) -> list[str]:
    """What a chat may take for a message, to the room that was joined."""
    first = json.loads(str(operation.payloads[0].example)) if operation.payloads else []
    inside = [one for one in first[1:] if isinstance(one, str) and NAMED.fullmatch(one)]
    room = {"room": inside[0], NAMED.findall(inside[0])[0]: inside[0]} if inside else {}
    said = {**room, **dict.fromkeys(TEXTS, "{canary}")}
    return [json.dumps(["message", said]), json.dumps(["message", *inside, "{canary}"])]
