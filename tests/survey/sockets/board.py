"""Boards of tenants, over WebSockets and events, that forget who may listen, or don't."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Header, HTTPException, Request, WebSocket
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

SECRETS = {
    "secret-of-ann-at-acme": ("acme", "ann"),
    "secret-of-leo-at-acme": ("acme", "leo"),
    "secret-of-bob-at-globex": ("globex", "bob"),
    "secret-of-lea-at-globex": ("globex", "lea"),
}


@dataclass
class Board:
    """Who is a member, and who listens.

    Attributes:
        asks_again: before something is sent, it is asked whether who listens is still a member.
        asks_first: it is asked when a socket is opened.
        stumbles: nobody hears anything after the first message.
        late_s: so long a former member's socket takes to open.
    """

    asks_again: bool = True
    asks_first: bool = True
    stumbles: bool = False
    late_s: float = 0
    members: set[tuple[str, str]] = field(default_factory=lambda: set(SECRETS.values()))
    ears: list[tuple[tuple[str, str], asyncio.Queue[str]]] = field(default_factory=list)

    def who(self, authorization: str | None) -> tuple[str, str]:
        found = SECRETS.get((authorization or "").removeprefix("Bearer "))
        if found is None or (self.asks_first and found not in self.members):
            raise HTTPException(401)
        return found

    def publish(self, tenant: str, text: str) -> None:
        for who, queue in self.ears:
            if who[0] == tenant and (not self.asks_again or who in self.members):
                queue.put_nowait(text)
        if self.stumbles:
            self.ears.clear()

    async def told(self, who: tuple[str, str]) -> AsyncIterator[str]:
        ear = who, asyncio.Queue[str]()
        self.ears.append(ear)
        try:
            while True:
                yield json.dumps({"text": await ear[1].get()})
        finally:
            if ear in self.ears:
                self.ears.remove(ear)


def application(board: Board) -> FastAPI:  # noqa: C901 - one play, in its order
    app = FastAPI()

    def caller(authorization: Annotated[str | None, Header()] = None) -> tuple[str, str]:
        return board.who(authorization)

    Caller = Annotated[tuple[str, str], Depends(caller)]  # noqa: N806 - a type

    @app.post("/say")
    async def say(who: Caller, text: Annotated[str, Body(embed=True)]) -> None:
        board.publish(who[0], text)

    @app.delete("/members/{user}")
    async def remove(who: Caller, user: str) -> None:
        if user == "keeper":
            raise HTTPException(403, {"token": "a-token-of-the-server"})
        board.members.discard((who[0], user))

    @app.put("/members/{user}")
    async def add(who: Caller, user: str) -> None:
        board.members.add((who[0], user))

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        try:
            who = board.who(socket.headers.get("authorization"))
        except HTTPException:
            await socket.close(4401)
            return
        await asyncio.sleep(0 if who in board.members else board.late_s)
        await socket.accept()

        async def tell() -> None:
            async for text in board.told(who):
                await socket.send_text(text)

        task = asyncio.create_task(tell())
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            return
        finally:
            task.cancel()

    @app.get("/events")
    async def events(request: Request, who: Caller) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield ": welcome\n\n"
            async for text in board.told(who):
                yield f"data: {text}\n\n"

        del request
        return StreamingResponse(lines(), media_type="text/event-stream")

    return app


def configuration(base: str, **sockets: Any) -> dict[str, Any]:  # noqa: ANN401 - any value
    """What a survey of it is told."""

    def tenant(name: str, stays: str, leaves: str) -> dict[str, Any]:
        return {
            "headers": {"Authorization": f"Bearer secret-of-{stays}-at-{name}"},
            "sockets": {
                "headers": {"Authorization": f"Bearer secret-of-{leaves}-at-{name}"},
                "leave": {"method": "DELETE", "path": f"/members/{leaves}"},
                "join": {"method": "PUT", "path": f"/members/{leaves}"},
            },
        }

    told = {"path": "/live", "within_s": 0.2, "patience_s": 20, **sockets}
    told.setdefault("publish", {"path": "/say", "json": {"text": "{canary}"}})
    return {
        "api": {"base": base},
        "sockets": {key: value for key, value in told.items() if value is not None},
        "tenants": {"acme": tenant("acme", "ann", "leo"), "globex": tenant("globex", "bob", "lea")},
    }
