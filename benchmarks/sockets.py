"""Measure WebSockets of many tenants: who hears what, how fast, and how much memory each takes.

    python -m benchmarks.sockets                                    # 2,000 sockets of 100 tenants
    python -m benchmarks.sockets --sockets 200 --tenants 10 --broker postgres

A server in a process of its own, one event loop, and the clients in another: two cores. Each tenant
has a channel of the same name, and each of its sockets has joined it. One message after the other
is published for each tenant in turn, as the application does it, until each socket was sent as many
as it should be. Each message says whose it is: one at a wrong tenant, or one missing, fails this.

Memory is what the server's process has gained (PSS) by the sockets, uvicorn's part of each in it.
2,000 sockets take 2,000 open files at both ends: `ulimit -n 20000`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import re
import resource
import sys
import time
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import uvicorn
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect

from partywall import TenantContext
from partywall.adapters.channels import Channels, Limits, MemoryBroker, PostgresBroker, RedisBroker
from partywall.servers import postgres, redis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from multiprocessing.connection import Connection

    from starlette.requests import HTTPConnection, Request
    from starlette.websockets import WebSocket

    from partywall.adapters.channels import Broker

NAME = "board"
SPARE_FILES = 200
OPENING = 50
PATIENCE_S = 300.0
BROKERS = ("memory", "redis", "postgres")
SPAWNED = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured.

    Attributes:
        wrong: messages that came to a tenant whose they are not.
        missing: messages that did not come.
        delivered_s: messages that came to a socket, a second.
        published_s: messages that were published, a second.
        kb_a_socket: the server's.
        join_s: until all had joined.
    """

    broker: str
    sockets: int
    tenants: int
    wrong: int
    missing: int
    delivered_s: float
    published_s: float
    kb_a_socket: float
    join_s: float


def made(kind: str, url: str) -> Broker:
    """A broker of a kind."""
    match kind:
        case "redis":
            return RedisBroker(url)
        case "postgres":
            return PostgresBroker(url, key="a key of the benchmark's own")
        case _:
            return MemoryBroker()


async def access(connection: HTTPConnection) -> TenantContext:
    """Whoever says who they are; this measures channels and not tokens."""
    return TenantContext(connection.headers["x-tenant"], connection.headers["x-user"])


def application(kind: str, url: str) -> Starlette:
    """Sockets, and a way to have messages published."""
    channels = Channels(made(kind, url), access, limits=Limits(per_tenant=10_000, per_user=100))

    async def live(websocket: WebSocket) -> None:
        async with channels.socket(websocket, await access(websocket)) as socket:
            await socket.subscribe(NAME)
            await socket.send("joined")
            async for _ in socket:
                pass

    async def publish(request: Request) -> Response:
        tenants, each = int(request.query_params["tenants"]), int(request.query_params["each"])
        contexts = [TenantContext(f"t{number}") for number in range(tenants)]
        began = time.perf_counter()
        for number in range(each):
            said = [{"tenant": one.tenant_id, "number": number} for one in contexts]
            await asyncio.gather(
                *(channels.publish(c, NAME, s) for c, s in zip(contexts, said, strict=True))
            )
            await asyncio.sleep(0)
        return JSONResponse(time.perf_counter() - began)

    async def memory(_: Request) -> Response:
        return JSONResponse(held_kb())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with channels:
            yield

    routes = [WebSocketRoute("/live", live), Route("/publish", publish), Route("/memory", memory)]
    return Starlette(routes=routes, lifespan=lifespan)


def held_kb() -> int:
    """What this process holds of memory; shared pages in equal parts."""
    found = re.search(r"^Pss: +(\d+) kB", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def serve(kind: str, url: str, told: Connection) -> None:
    """Serve until the process is ended; tell the port."""
    config = uvicorn.Config(
        application(kind, url), port=0, log_level="critical", ws_per_message_deflate=False
    )
    server = uvicorn.Server(config)
    startup = server.startup

    async def announced(sockets: Any = None) -> None:  # noqa: ANN401 - as uvicorn has it
        await startup(sockets)
        told.send(server.servers[0].sockets[0].getsockname()[1])

    server.startup = announced  # type: ignore[method-assign]  # to tell the port
    server.run()


async def measured(port: int, kind: str, sockets: int, tenants: int, each: int) -> Figures:
    """Open sockets, have messages published, and count what comes."""
    base, limit = f"127.0.0.1:{port}", asyncio.Semaphore(OPENING)
    async with AsyncExitStack() as stack:
        before = await asked(base, "/memory")
        began = time.perf_counter()

        async def opened(number: int) -> tuple[str, ClientConnection]:
            tenant = f"t{number % tenants}"
            who = {"x-tenant": tenant, "x-user": str(number // tenants // 50)}
            async with limit:
                socket = connect(
                    f"ws://{base}/live", additional_headers=who, compression=None,
                    ping_interval=None, open_timeout=PATIENCE_S,
                )  # fmt: skip
                connection = await stack.enter_async_context(socket)
                assert json.loads(await connection.recv()) == "joined"  # noqa: S101 - of a benchmark
                return tenant, connection

        everybody = await asyncio.gather(*map(opened, range(sockets)))
        join_s = time.perf_counter() - began
        kb = (await asked(base, "/memory") - before) / sockets
        wrong = missing = 0

        async def counted(tenant: str, connection: ClientConnection) -> None:
            nonlocal wrong, missing
            numbers: list[int] = []
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while len(numbers) < each:
                        message = json.loads(await connection.recv())
                        wrong += message["data"]["tenant"] != tenant
                        numbers.append(message["data"]["number"])
            finally:
                missing += numbers != [*range(each)]

        began = time.perf_counter()
        hearing = [asyncio.create_task(counted(*one)) for one in everybody]
        publish_s = await asked(base, f"/publish?tenants={tenants}&each={each}")
        await asyncio.gather(*hearing)
        took_s = time.perf_counter() - began
    delivered, published = sockets * each / took_s, tenants * each / publish_s
    return Figures(kind, sockets, tenants, wrong, missing, delivered, published, kb, join_s)


async def asked(base: str, path: str) -> float:
    """The number that the server answers."""
    host, _, port = base.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {base}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return float(json.loads(answer.partition(b"\r\n\r\n")[2]))


def run(kind: str, url: str, sockets: int, tenants: int, each: int) -> Figures:
    """One broker."""
    mine, theirs = SPAWNED.Pipe()
    process = SPAWNED.Process(target=serve, args=(kind, url, theirs), daemon=True)
    process.start()
    try:
        return asyncio.run(measured(mine.recv(), kind, sockets, tenants, each))
    finally:
        process.terminate()
        process.join()


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sockets")
    parser.add_argument("--sockets", type=int, default=2000)
    parser.add_argument("--tenants", type=int, default=100)
    parser.add_argument("--each", type=int, default=50, help="messages for each tenant")
    parser.add_argument("--broker", choices=BROKERS, action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < options.sockets + SPARE_FILES:
        sys.exit(f"{files} files may be open: ulimit -n {options.sockets + SPARE_FILES}")
    with ExitStack() as stack:
        urls = {"memory": ""}
        chosen = options.broker or BROKERS
        if "redis" in chosen:
            urls["redis"] = stack.enter_context(redis()).url()
        if "postgres" in chosen:
            urls["postgres"] = stack.enter_context(postgres()).url()
            psycopg.connect(urls["postgres"]).close()
        sizes = options.sockets, options.tenants, options.each
        found = [run(kind, urls[kind], *sizes) for kind in chosen]
    if options.json:
        print(json.dumps([asdict(one) for one in found]))
    else:
        table = Table(*("broker", "sockets", "tenants", "wrong", "missing", "to sockets/s"))
        for column in ("published/s", "kB a socket", "joined in s"):
            table.add_column(column)
        for one in found:
            told = [one.broker, one.sockets, one.tenants, one.wrong, one.missing]
            rates = [one.delivered_s, one.published_s, one.kb_a_socket]
            table.add_row(*map(str, told), *(f"{r:,.0f}" for r in rates), f"{one.join_s:.1f}")
        Console().print(table)
    return int(any(one.wrong or one.missing for one in found))


if __name__ == "__main__":
    sys.exit(main())
