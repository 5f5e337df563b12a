"""How a Temporal server is reached: where it is, and one client for all threads of the process."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import Client
from temporalio.service import RPCError

from partywall.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and which of its namespaces is meant."""

    target: str
    namespace: str
    options: Mapping[str, Any]

    async def connect(self) -> Client:
        """A client of the loop that this runs in."""
        return await Client.connect(self.target, namespace=self.namespace, **self.options)

    def unreached(self, error: BaseException) -> WorkError:
        """That it is not there; no more is said than how that was found out."""
        return WorkError(
            f"the Temporal server at {self.target} could not be reached, or has no namespace "
            f"{self.namespace!r} ({type(error).__name__})"
        )


class Connection:
    """A client in a loop of its own, which is opened for the first who does something there.

    Args:
        server: to which it is.
        patience_s: how long the server may take to answer.
        threads: how many the loop may have for what blocks.
    """

    def __init__(self, server: Server, patience_s: float, threads: int) -> None:
        self._server = server
        self._patience_s = patience_s
        self._threads = threads
        self._opening = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The client, for what is done in the loop."""
        assert self._client is not None  # noqa: S101 - there is a loop only when there is one
        return self._client

    def do(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop.

        Raises:
            WorkError: when the server is down or refuses; it says no more than how.
        """
        asked = self._begun(doing)
        try:
            return asked.result(self._patience_s)
        except (RPCError, RuntimeError, TimeoutError) as error:
            asked.cancel()
            raise WorkError(
                f"the Temporal server at {self._server.target} does not answer, or not so "
                f"({type(error).__name__})"
            ) from error

    def await_(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop, however long it takes."""
        return self._begun(doing).result()

    def close(self) -> None:
        """End the loop, once all that blocks in its threads has come to its end.

        Nothing is locked meanwhile: a step that is being taken there may still do something.
        """
        with self._opening:
            thread, loop = self._thread, self._loop
            self._thread = self._loop = None
        if thread is not None and loop is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _begun(self, doing: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            with self._opening:
                loop = self._loop or self._opened()
            return asyncio.run_coroutine_threadsafe(doing, loop)
        except BaseException:
            doing.close()
            raise

    def _opened(self) -> asyncio.AbstractEventLoop:
        ready: Future[Client] = Future()
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._threads, "partywall-step"))

        async def connecting() -> None:
            try:
                ready.set_result(await self._server.connect())
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                ready.set_exception(error)

        def living() -> None:
            asyncio.set_event_loop(loop)
            task = loop.create_task(connecting())
            loop.run_forever()
            task.cancel()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

        thread = threading.Thread(target=living, name="partywall workflows", daemon=True)
        thread.start()
        try:
            self._client = ready.result(self._patience_s)
        except Exception as error:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            raise self._server.unreached(error) from error
        self._loop, self._thread = loop, thread
        return loop
