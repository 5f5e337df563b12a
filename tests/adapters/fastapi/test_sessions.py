"""Sessions of requests, over HTTP: committed before the answer, rolled back, streamed, cut off."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Query
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import text

from partywall import AsyncTenantSession, Tenancy, TenantContext, TenantSession
from partywall.adapters.fastapi import Header, TenantAccess
from tests.adapters.fastapi.town import Town, serving
from tests.runtime.houses import ACME

ADD = text("INSERT INTO notes (id, body) VALUES (:id, :body)")
ALL = text("SELECT body FROM notes ORDER BY id")
SLOW = text("SELECT pg_sleep(1)")
LONG = text("SELECT repeat('x', 100000)")


Note = Annotated[int, Query()]


def application(town: Town) -> FastAPI:
    """Handlers that write note *id*, and then do what their name says."""
    access = TenantAccess(town.tenancy, town.plane, resolve=[Header()])
    app = FastAPI(dependencies=[Depends(access)])
    for add in (ending, failing, streaming, cut):
        add(app, access)
    leaving(app, access, town.tenancy)
    access.protect(app)
    return app


def ending(app: FastAPI, access: TenantAccess) -> None:
    """Handlers that come to their end."""
    aio = Annotated[AsyncTenantSession, Depends(access.async_session)]
    plain = Annotated[TenantSession, Depends(access.session)]

    @app.post("/async/kept")
    async def async_kept(session: aio, id: Note) -> str:  # noqa: A002 - the parameter's name
        await session.execute(ADD, {"id": id, "body": "kept"})
        return "kept"

    @app.post("/sync/kept")
    def sync_kept(session: plain, id: Note) -> str:  # noqa: A002 - as above
        session.execute(ADD, {"id": id, "body": "kept"})
        return "kept"

    @app.post("/async/answer")
    async def answer(session: aio, id: Note) -> JSONResponse:  # noqa: A002 - as above
        await session.execute(ADD, {"id": id, "body": "kept"})
        return JSONResponse("said no, and meant it", 400)


def failing(app: FastAPI, access: TenantAccess) -> None:
    """Handlers that do not."""
    aio = Annotated[AsyncTenantSession, Depends(access.async_session)]
    plain = Annotated[TenantSession, Depends(access.session)]

    @app.post("/async/http-exception")
    async def async_http(session: aio, id: Note) -> None:  # noqa: A002 - as above
        await session.execute(ADD, {"id": id, "body": "lost"})
        raise HTTPException(409, "no")

    @app.post("/sync/http-exception")
    def sync_http(session: plain, id: Note) -> None:  # noqa: A002 - as above
        session.execute(ADD, {"id": id, "body": "lost"})
        raise HTTPException(409, "no")

    @app.post("/async/exception")
    async def async_fault(session: aio, id: Note) -> None:  # noqa: A002 - as above
        await session.execute(ADD, {"id": id, "body": "lost"})
        raise RuntimeError

    @app.post("/sync/exception")
    def sync_fault(session: plain, id: Note) -> None:  # noqa: A002 - as above
        session.execute(ADD, {"id": id, "body": "lost"})
        raise RuntimeError

    @app.post("/async/wrong-answer")
    async def async_wrong(session: aio, id: Note) -> int:  # noqa: A002 - as above
        await session.execute(ADD, {"id": id, "body": "lost"})
        return "no number"  # type: ignore[return-value]  # which is the point

    @app.post("/sync/wrong-answer")
    def sync_wrong(session: plain, id: Note) -> int:  # noqa: A002 - as above
        session.execute(ADD, {"id": id, "body": "lost"})
        return "no number"  # type: ignore[return-value]  # which is the point


def leaving(app: FastAPI, access: TenantAccess, tenancy: Tenancy) -> None:
    """Handlers that leave something to be done."""
    aio = Annotated[AsyncTenantSession, Depends(access.async_session)]
    given = Annotated[TenantContext, Depends(access)]

    @app.post("/async/background")
    async def background(
        session: aio,
        context: given,
        tasks: BackgroundTasks,
        id: Note,  # noqa: A002 - as above
    ) -> str:
        async def later() -> None:
            async with tenancy.async_session(context) as own:
                await own.execute(ADD, {"id": id + 1, "body": "later"})

        tasks.add_task(later)
        await session.execute(ADD, {"id": id, "body": "kept"})
        return "kept"

    @app.post("/async/background-fault")
    async def background_fault(
        session: aio,
        tasks: BackgroundTasks,
        id: Note,  # noqa: A002 - as above
    ) -> str:
        async def later() -> None:
            raise RuntimeError

        tasks.add_task(later)
        await session.execute(ADD, {"id": id, "body": "kept"})
        return "kept"


def streaming(app: FastAPI, access: TenantAccess) -> None:
    """Handlers whose answer is read to its end."""
    aio = Annotated[AsyncTenantSession, Depends(access.async_session)]
    plain = Annotated[TenantSession, Depends(access.session)]

    @app.post("/async/stream")
    async def async_stream(session: aio, id: Note) -> StreamingResponse:  # noqa: A002 - as above
        async def lines() -> AsyncIterator[str]:
            for (body,) in await session.execute(ALL):
                yield f"{body}\n"
            await session.execute(ADD, {"id": id + 1, "body": "streamed"})

        await session.execute(ADD, {"id": id, "body": "kept"})
        return StreamingResponse(lines())

    @app.post("/sync/stream")
    def sync_stream(session: plain, id: Note) -> StreamingResponse:  # noqa: A002 - as above
        def lines() -> Iterator[str]:
            for (body,) in session.execute(ALL):
                yield f"{body}\n"
            session.execute(ADD, {"id": id + 1, "body": "streamed"})

        session.execute(ADD, {"id": id, "body": "kept"})
        return StreamingResponse(lines())

    @app.post("/async/lines")
    async def json_lines(session: aio, id: Note) -> AsyncIterator[dict[str, Any]]:  # noqa: A002
        for (body,) in await session.execute(ALL):
            yield {"body": body}
        await session.execute(ADD, {"id": id, "body": "kept"})


def cut(app: FastAPI, access: TenantAccess) -> None:  # noqa: C901 - a handler for each way
    """Handlers whose answer is not."""
    aio = Annotated[AsyncTenantSession, Depends(access.async_session)]
    plain = Annotated[TenantSession, Depends(access.session)]

    @app.post("/async/cut")
    async def async_cut(session: aio, id: Note) -> StreamingResponse:  # noqa: A002 - as above
        async def lines() -> AsyncIterator[str]:
            await session.execute(ADD, {"id": id, "body": "lost"})
            while True:
                yield await session.scalar(LONG)

        return StreamingResponse(lines())

    @app.post("/async/cut-in-a-query")
    async def async_cut_in_a_query(
        session: aio,
        id: Note,  # noqa: A002 - as above
    ) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            await session.execute(ADD, {"id": id, "body": "lost"})
            yield "begun\n"
            await session.execute(SLOW)

        return StreamingResponse(lines())

    @app.post("/sync/cut")
    def sync_cut(session: plain, id: Note) -> StreamingResponse:  # noqa: A002 - as above
        def lines() -> Iterator[str]:
            session.execute(ADD, {"id": id, "body": "lost"})
            while True:
                yield session.execute(LONG).scalar_one()

        return StreamingResponse(lines())

    @app.post("/async/fault-in-a-stream")
    async def fault_in_a_stream(
        session: aio,
        id: Note,  # noqa: A002 - as above
    ) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            await session.execute(ADD, {"id": id, "body": "lost"})
            yield "begun\n"
            raise RuntimeError

        return StreamingResponse(lines())


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    with serving(application(town)) as client:
        client.headers.update(town.bearer("ann", "acme") | {"X-Tenant": "acme"})
        yield client


def kept(town: Town, id: int) -> list[str]:  # noqa: A002 - the column's name
    """The notes from *id* on, in the database."""
    query = f"SELECT body FROM notes WHERE id >= {id} AND id < {id} + 100 ORDER BY id"
    return [body for (body,) in town.database.rows(query)]


def idle(town: Town) -> bool:
    """Whether soon nothing is left of a request in the database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state <> 'idle'"
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if town.database.rows(query) == [(0,)]:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_what_a_handler_did_is_committed(client: httpx.Client, town: Town, kind: str) -> None:
    id = 1000 if kind == "async" else 1100  # noqa: A001 - the column's name
    assert client.post(f"/{kind}/kept?id={id}").status_code == 200
    assert kept(town, id) == ["kept"]


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_commit_that_fails_is_not_answered_with_200(
    client: httpx.Client, town: Town, kind: str
) -> None:
    id = 1200 if kind == "async" else 1300  # noqa: A001 - as above
    assert client.post(f"/{kind}/kept?id={id}").status_code == 200
    answer = client.post(f"/{kind}/kept?id={id}")  # its key is taken, which the commit notices
    assert answer.status_code == 500
    assert kept(town, id) == ["kept"]
    assert client.post(f"/{kind}/kept?id={id + 1}").status_code == 200
    assert idle(town)


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(
    ("end", "status"), [("http-exception", 409), ("exception", 500), ("wrong-answer", 500)]
)
def test_what_failed_is_rolled_back(
    client: httpx.Client, town: Town, kind: str, end: str, status: int
) -> None:
    assert client.post(f"/{kind}/{end}?id=1400").status_code == status
    assert kept(town, 1400) == []
    assert idle(town)


def test_a_response_that_a_handler_gives_back_is_no_failure(
    client: httpx.Client, town: Town
) -> None:
    assert client.post("/async/answer?id=1500").status_code == 400
    assert kept(town, 1500) == ["kept"]


def test_a_background_task_has_a_session_of_its_own(client: httpx.Client, town: Town) -> None:
    assert client.post("/async/background?id=1600").status_code == 200
    assert idle(town)
    assert kept(town, 1600) == ["kept", "later"]


def test_a_background_task_that_fails_takes_nothing_back(client: httpx.Client, town: Town) -> None:
    assert client.post("/async/background-fault?id=1700").status_code == 200
    assert idle(town)
    assert kept(town, 1700) == ["kept"]


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_stream_reads_and_writes_until_its_end(
    client: httpx.Client, town: Town, kind: str
) -> None:
    id = 1800 if kind == "async" else 1900  # noqa: A001 - as above
    answer = client.post(f"/{kind}/stream?id={id}")
    assert answer.text.splitlines()[-1] == "kept"
    assert idle(town)
    assert kept(town, id) == ["kept", "streamed"]


def test_a_generator_as_handler(client: httpx.Client, town: Town) -> None:
    answer = client.post("/async/lines?id=2000")
    assert json.loads(answer.text.splitlines()[0]) == {"body": ACME.tenant_id}
    assert idle(town)
    assert kept(town, 2000) == ["kept"]


@pytest.mark.parametrize("path", ["async/cut", "sync/cut", "async/cut-in-a-query"])
def test_a_client_that_goes_poisons_nothing(client: httpx.Client, town: Town, path: str) -> None:
    for number in range(12):  # more than there are connections
        with client.stream("POST", f"/{path}?id={2100 + number}") as answer:
            assert answer.status_code == 200
            assert next(answer.iter_raw())
    assert idle(town)
    assert kept(town, 2100) == []
    for number in range(12):
        assert client.post(f"/async/kept?id={2200 + number}").status_code == 200
    assert kept(town, 2200) == ["kept"] * 12
    town.database.execute("DELETE FROM notes WHERE id BETWEEN 2200 AND 2299")


def test_a_stream_that_fails_is_rolled_back_and_not_ended(client: httpx.Client, town: Town) -> None:
    with (
        pytest.raises(Exception, match=r"peer closed|incomplete"),
        client.stream("POST", "/async/fault-in-a-stream?id=2300") as answer,
    ):
        answer.read()
    assert idle(town)
    assert kept(town, 2300) == []


def test_the_answer_comes_after_the_commit(client: httpx.Client, town: Town) -> None:
    """While the commit waits for a lock, no byte of an answer is sent."""
    town.database.execute(
        "CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER held AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (new.id BETWEEN 2400 AND 2499) EXECUTE FUNCTION held()"
    )
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    for number, kind in enumerate(("async", "sync")):
        town.database.execute("SELECT pg_advisory_lock(77)")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(client.post, f"/{kind}/kept?id={2400 + number}")
            end = time.monotonic() + 5
            while town.database.rows(waiting) == [(0,)] and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(0.1)
            early = answer.done()
            town.database.execute("SELECT pg_advisory_unlock(77)")
            assert answer.result(5).status_code == 200
        assert not early


def test_many_clients_that_go_among_many_that_stay(client: httpx.Client, town: Town) -> None:
    async def all_of_them() -> list[int]:
        address = client.base_url
        headers = dict(client.headers)

        def go(number: int) -> int:
            with socket.create_connection((address.host, address.port or 80)) as raw:
                said = "".join(f"{k}: {v}\r\n" for k, v in headers.items() if k != "host")
                line = f"POST /async/cut?id={2600 + number} HTTP/1.1\r\nHost: localhost\r\n"
                raw.sendall(f"{line}{said}Content-Length: 0\r\n\r\n".encode())
                if number % 3:
                    raw.recv(100)
            return 0

        def stay(number: int) -> int:
            return client.post(f"/async/kept?id={2500 + number}").status_code

        works = [asyncio.to_thread(go if n % 2 else stay, n) for n in range(60)]
        return list(await asyncio.gather(*works))

    assert sorted(asyncio.run(all_of_them())) == [0] * 30 + [200] * 30
    assert idle(town)
    assert kept(town, 2500) == ["kept"] * 30
    assert kept(town, 2600) == []
