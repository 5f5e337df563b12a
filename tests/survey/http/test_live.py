"""Channels that tell by themselves: who hears of whose changes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket

from partywall.errors import ConfigurationError
from partywall.survey.http import rooms, routes, surveying
from partywall.survey.http.actors import Actor
from partywall.survey.http.ears import listening
from partywall.survey.http.events import EventEar, streams
from partywall.survey.http.loading import load
from partywall.survey.http.messages import OPENING, SPOKEN, declared, filled, free, general, opening
from partywall.survey.http.operations import Api, Operation
from partywall.survey.http.recorded_sockets import sockets
from partywall.survey.http.sockets import SocketEar
from partywall.survey.http.wire import Request, Wire
from tests.probe.corpus.walls import KEYS
from tests.probe.serving import serving
from tests.survey.http.channels import Events, application
from tests.survey.http.probed import found, probed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOLD: dict[str, Any] = {
    "websockets": ('/ws {"subscribe": "{project_id}"}',),
    "socketio_events": {"join": ("project_id",)},
}
ACME = Actor("acme", {"Authorization": f"Bearer {KEYS['acme']}"})
LEAKS = {
    ("foreign-channel", "WS /projects/{project_id}/live", "read"),
    ("foreign-channel", "WS /feed", "read"),
    ("foreign-channel", "WS /ws", "read"),
    ("foreign-channel", "WS /projects/{project_id}/chat", "write"),
    ("foreign-events", "GET /projects/{project_id}/events", "read"),
    ("foreign-events", "GET /events", "read"),
    ("foreign-room", "WS /socket.io/#join", "read"),
}


@pytest.fixture
def live_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the attacks by plain requests."""

    async def nothing(*_: object) -> None:
        return

    monkeypatch.setattr(surveying, "read", nothing)
    monkeypatch.setattr(surveying, "write", nothing)


@pytest.mark.usefixtures("live_alone")
@pytest.mark.parametrize("sound", [True, False], ids=["sound", "leaking"])
def test_who_hears_what_is_not_its_own_is_found_on_every_channel(sound: bool) -> None:  # noqa: FBT001 - two cases
    whole = application(sound=sound)
    report = probed(whole, app=whole, **TOLD)
    assert found(report) == (set() if sound else LEAKS)
    assert not report.undecided
    assert not report.public
    secrets = [key for key in KEYS.values() for one in report.findings if key in repr(one)]
    assert not secrets


@pytest.mark.usefixtures("live_alone")
def test_without_a_change_that_is_heard_nothing_is_said() -> None:
    app = FastAPI()

    @app.get("/projects")
    def projects() -> list[str]:
        return []

    @app.websocket("/silent")
    async def silent(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_text()

    @app.websocket("/refused")
    async def refused(socket: WebSocket) -> None:
        await socket.close()

    report = probed(app, app=app, deny=("WS /denied",), websockets=("/denied",))
    told = {one.at: one.because for one in report.undecided}
    assert "nothing was heard" in told["WS /silent"]
    assert "the server answered 403" in told["WS /refused"]
    assert "deny" in told["WS /denied"]
    assert not report.findings


def ticking() -> FastAPI:
    app = FastAPI()

    @app.get("/ticks/{tick_id}")
    def ticks(tick_id: int) -> Events:
        async def lines() -> AsyncIterator[str]:
            yield f"data: {tick_id}\n\n"
            await asyncio.sleep(30)

        return Events(lines())

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        while True:
            shown = socket.headers["authorization"].removeprefix("Bearer ")
            await socket.send_text(f"{await socket.receive_text()} of {shown}")

    return app


def test_an_answer_without_end_is_read_for_a_moment() -> None:
    async def asked(base: str) -> None:
        async with Wire(base) as wire:
            began = time.monotonic()
            answer = await wire.send(ACME, Request("GET", "/ticks/7"))
            assert answer.text == "data: 7\n\n"
            assert time.monotonic() - began < 15
            assert streams(wire, Operation("GET", "/ticks/{tick_id}"))
            assert not streams(wire, Operation("GET", "/ticks"))
            ear = EventEar(wire, ACME, Request("GET", "/ticks/8"))
            async with listening([ear]):
                await asyncio.sleep(0.1)
            assert ear.heard == ["data: 8"]
            assert ear.command().startswith("curl -sSN -i ")

    with serving(ticking()) as port:
        asyncio.run(asked(f"http://127.0.0.1:{port}"))


def test_a_witness_of_a_socket_can_be_replayed() -> None:
    async def heard(base: str) -> SocketEar:
        async with Wire(base) as wire:
            ear = SocketEar(wire, ACME, Request("GET", "/echo"), ["it's $here"])
            async with listening([ear]):
                await asyncio.sleep(0.1)
            return ear

    with serving(ticking()) as port:
        ear = asyncio.run(heard(f"http://127.0.0.1:{port}"))
        assert ear.heard == [f"it's $here of {KEYS['acme']}"]
        command = ear.command(["again"]).replace("python", sys.executable, 1)
        assert KEYS["acme"] not in command
        shown = {"ACME_AUTHORIZATION": f"Bearer {KEYS['acme']}", "PATH": os.environ["PATH"]}
        running = ["bash", "-c", f"timeout 5 {command} & sleep 1.5; kill $!"]
        done = subprocess.run(running, env=shown, capture_output=True, text=True, check=False)
    assert f"it's $here of {KEYS['acme']}" in done.stdout
    assert f"again of {KEYS['acme']}" in done.stdout


def test_a_subdomain_of_this_machine_needs_no_resolver() -> None:
    async def heard(base: str) -> list[str]:
        async with Wire("http://127.0.0.1:1", hosts=("acme.localhost",)) as wire:
            ear = SocketEar(wire, ACME, Request("GET", "/echo", base=base), ["here"])
            async with listening([ear]):
                await asyncio.sleep(0.1)
            return ear.heard

    with serving(ticking()) as port:
        told = asyncio.run(heard(f"http://acme.localhost:{port}"))
    assert told == [f"here of {KEYS['acme']}"]


def test_no_channel_is_opened_at_a_host_that_is_not_declared() -> None:
    async def opened() -> None:
        async with Wire("http://127.0.0.1:1") as wire:
            elsewhere = Request("GET", "/ws", base="http://other.example")
            async with listening([SocketEar(wire, ACME, elsewhere)]):
                pass

    with pytest.raises(ConfigurationError, match=r"other\.example"):
        asyncio.run(opened())


def test_routes_tell_of_websockets_and_what_they_take() -> None:
    def caller(token: str) -> str:
        return token

    app, router = FastAPI(), APIRouter(prefix="/rooms/{room_id}")

    @router.websocket("/live")
    async def live(socket: WebSocket, room_id: str, by: str = Depends(caller)) -> None:
        raise NotImplementedError(socket, room_id, by)

    app.include_router(router, prefix="/v1")
    (one,) = Api(()).joined(routes.read(app)).sockets
    assert one.at == "WS /v1/rooms/{room_id}/live"
    assert [(p.place, p.name, p.required) for p in one.parameters] == [
        ("path", "room_id", True),
        ("query", "token", True),
    ]


def test_a_declared_websocket_may_have_a_message_and_a_query() -> None:
    one = declared('/ws?board={board_id}&v=2 {"join": "{board_id}", "as": {token}}')
    assert one.at == "WS /ws"
    assert [(p.name, p.example) for p in one.parameters] == [("board", None), ("v", "2")]
    (text,) = opening(one)
    assert filled(text, {"board_id": 7}) == '{"join": "7", "as": {token}}'


def test_recorded_messages_have_names_for_ids() -> None:
    assert general('{"type": "join", "room_id": 7, "to": "abc-1"}', {"abc-1"}) == (
        '{"type": "join", "room_id": {room_id}, "to": "{to}"}'
    )
    assert general("ping", {"ping"}) == "ping"
    assert free('{"t": "say", "text": "Hello, you"}') == '{"t": "say", "text": "{canary}"}'
    assert free("[1]") == free("ping") == ""


def test_recorded_sockets_are_known_by_their_paths() -> None:
    sent = ['{"join": 1, "room_id": "r7"}', '{"say": "Hello"}', '{"room_id": "r8"}']
    entry = {
        "request": {
            "url": "wss://api.example/ws/rooms/12?token=secret&v=2",
            "headers": [{"name": "Sec-WebSocket-Protocol", "value": "chat.v1"}],
        },
        "_webSocketMessages": [
            {"type": "receive", "data": "hi"},
            *({"type": "send", "data": text} for text in sent),
        ],
    }
    (one,) = sockets([("/ws/rooms/12", entry), ("/ws/rooms/13", entry)], ())
    assert one.at == "WS /ws/rooms/{room_id}"
    assert [(p.place, p.name, p.example) for p in one.parameters] == [
        ("query", "token", None),
        ("query", "v", "2"),
        ("header", "sec-websocket-protocol", "chat.v1"),
    ]
    assert [(p.media, p.example) for p in one.payloads] == [
        (OPENING, '{"join": 1, "room_id": "{room_id}"}'),
        (SPOKEN, '{"say": "{canary}"}'),
        (OPENING, '{"room_id": "{room_id}"}'),
    ]


def test_events_of_socketio_are_sent_with_ids_and_with_json() -> None:
    events = {"join": ("room",), "watch": ('{"room": "{room_id}"}', "fast now")}
    assert [opening(one) for one in rooms.channels(events)] == [
        ('["join", "{room}"]',),
        ('["watch", {"room": "{room_id}"}, "fast now"]',),
    ]
    assert [opening(one) for one in rooms.channels({})] == [()]


TENANTS = '[tenants.a]\nheaders = { X-A = "1" }\n[tenants.b]\nheaders = { X-A = "2" }\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(tmp_path, "partywall.toml")


def test_channels_are_declared_in_the_configuration(file: Path) -> None:
    file.write_text(
        '[api]\nbase = "http://a"\nopenapi = "http://a/o"\nwebsockets = ["/ws/{id}"]\n'
        f'socketio_events = {{ join = ["room"] }}\n{TENANTS}'
    )
    told = load(file)
    assert told.websockets == ("/ws/{id}",)
    assert told.socketio_events == {"join": ("room",)}


def test_a_websocket_without_a_path_is_refused(file: Path) -> None:
    file.write_text(f'[api]\nbase = "http://a"\nwebsockets = ["ws://a/b"]\n{TENANTS}')
    with pytest.raises(ConfigurationError, match="is no path"):
        load(file)
