"""Who is who, answered from memory: the reader that every request asks."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Self, TypeVar, cast

from sqlalchemy import exc

from partywall.control import api_keys, lookups
from partywall.control.database import now
from partywall.control.listening import Listener
from partywall.control.lookups import Key, Member
from partywall.control.memory import Memory
from partywall.control.versions import Versions
from partywall.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.control.database import Database
    from partywall.control.lookups import Expiring, Question
    from partywall.control.memory import Kept
    from partywall.control.tenants import Tenant
    from partywall.runtime.directory import Standing

__all__ = ["Access", "Key", "Member"]

V = TypeVar("V")

LEFT = 2
"""The connections that questions leave to those who write."""

NO_ANSWER = "the control plane's database gives no answer: look whether it is up, and try again"


class Access:
    """Tenants, members and API keys, as the database has them.

    What was asked for before is answered from memory, without a query or a thread, until it
    changes. On PostgreSQL a process hears of a change as soon as it is committed; while it can't
    hear, every question is asked of the database. On SQLite every question first looks whether
    anything was changed.

    It is a `partywall.runtime.directory.Directory`. Each question has a twin for async code, which
    asks the database in a thread.

    Whoever asks for one name after another that nobody has, makes a query for each, as fast as the
    database answers and no faster: questions leave some of its connections to others.

    Args:
        database: the control plane's.
        heartbeat_s: how often the server is asked for a sign of life. When it is gone without a
            word, what is in memory is taken for true for up to three times as long.
        size: how many answers are kept; the oldest is forgotten first.
        unknown: how many answers that there is nothing, in a place of their own.
        unknown_s: for how long these.

    Raises:
        Unavailable: from every question, when the database gives no answer.
    """

    def __init__(
        self,
        database: Database,
        *,
        heartbeat_s: float = 1.0,
        size: int = 20_000,
        unknown: int = 1_000,
        unknown_s: float = 2.0,
    ) -> None:
        self._database = database
        self._memory = Memory(size=size, unknown=unknown, unknown_s=unknown_s)
        self._watch = (
            Versions(database, self._memory)
            if database.sqlite
            else Listener(database, self._memory, heartbeat_s=heartbeat_s)
        )
        database.tell(self._memory)
        self._admit()
        _every.add(self)

    def tenant(self, tenant_id: str) -> Tenant | None:
        """The tenant with that id, also one that is deleted."""
        return self._answer(lookups.tenant, tenant_id)

    async def async_tenant(self, tenant_id: str) -> Tenant | None:
        """As `tenant`."""
        return await self._async_answer(lookups.tenant, tenant_id)

    def tenant_by_slug(self, slug: str) -> Tenant | None:
        """The tenant that has that slug now; capital letters are small ones."""
        return self._answer(lookups.tenant_by_slug, folded(slug))

    async def async_tenant_by_slug(self, slug: str) -> Tenant | None:
        """As `tenant_by_slug`."""
        return await self._async_answer(lookups.tenant_by_slug, folded(slug))

    def tenant_by_domain(self, host: str) -> Tenant | None:
        """The tenant that has verified that domain: a host's name, without its port."""
        return self._answer(lookups.tenant_by_domain, folded(host.removesuffix(".")))

    async def async_tenant_by_domain(self, host: str) -> Tenant | None:
        """As `tenant_by_domain`."""
        return await self._async_answer(lookups.tenant_by_domain, folded(host.removesuffix(".")))

    def member(self, tenant_id: str, user_id: str) -> Member | None:
        """The user as a member; None when they are none, or may not log in, or it is deleted."""
        return self._answer(lookups.member, tenant_id, user_id)

    async def async_member(self, tenant_id: str, user_id: str) -> Member | None:
        """As `member`."""
        return await self._async_answer(lookups.member, tenant_id, user_id)

    def tenants_of(self, user_id: str) -> tuple[str, ...]:
        """The ids of the tenants whose member the user is, sorted."""
        return self._answer(lookups.tenants_of, user_id) or ()

    async def async_tenants_of(self, user_id: str) -> tuple[str, ...]:
        """As `tenants_of`."""
        return await self._async_answer(lookups.tenants_of, user_id) or ()

    def user_version(self, user_id: str) -> int | None:
        """The version of a user who may log in, of whichever tenant; None for anybody else."""
        return self._answer(lookups.user_version, user_id)

    async def async_user_version(self, user_id: str) -> int | None:
        """As `user_version`."""
        return await self._async_answer(lookups.user_version, user_id)

    def key(self, secret: str) -> Key | None:
        """What an API key may do now, of what it was given; None for one that does not hold."""
        return usable(self._answer(lookups.key, key_hash(secret)))

    async def async_key(self, secret: str) -> Key | None:
        """As `key`."""
        return usable(await self._async_answer(lookups.key, key_hash(secret)))

    def standing(self, tenant_id: str) -> Standing | None:
        """How the tenant stands; None when nobody has that id."""
        tenant = self.tenant(tenant_id)
        return tenant.status if tenant else None

    async def async_standing(self, tenant_id: str) -> Standing | None:
        """As `standing`."""
        tenant = await self.async_tenant(tenant_id)
        return tenant.status if tenant else None

    @property
    def remembered(self) -> int:
        """How many answers are in memory."""
        return len(self._memory)

    def forget(self, *keys: str) -> None:
        """Ask the database again, in this process, for what hangs on *keys*.

        For who has just committed a change and goes on at once, before it is heard.

        Args:
            keys: as `partywall.control.database.announce` takes them.
        """
        self._memory.announced(*keys)

    def follow(self, told: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Call *told* as soon as something is heard to have changed, for what lasts.

        Each question that is asked from then on has the new answer. It is called in whichever
        thread brings the news, and has to return at once; `current` must be asked now and then.

        Args:
            told: is given the keys that changed, as `partywall.control.database.announce` takes
                them; none of them when anything may have.

        Returns:
            What ends it.
        """
        return self._memory.follow(told)

    def keys_of(self, tenant_id: str, user_id: str, credential: str = "") -> frozenset[str]:
        """The keys on which it hangs whether somebody is let in, for `follow`.

        Args:
            tenant_id: the tenant.
            user_id: who it is there.
            credential: what was shown; an API key has a key of its own.
        """
        hashed = key_hash(credential)
        keys = {f"tenant:{tenant_id}", f"user:{user_id}"}
        return frozenset(keys | {f"key:{hashed}"} if hashed else keys)

    def current(self) -> bool:
        """Look for changes: on SQLite by asking, on PostgreSQL by seeing that they are heard.

        False while they can't be: then every question is asked of the database.
        """
        return self._watch.current()

    def ready(self, timeout_s: float = 5.0) -> bool:
        """Wait until questions are answered from memory; False when they are not in time."""
        end = time.monotonic() + timeout_s
        while not self._watch.current():
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def close(self) -> None:
        """Let go of thread and connection; the next question takes others."""
        self._watch.close()
        self._memory.clear()

    def __enter__(self) -> Self:
        """This reader; the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def after_fork(self) -> None:
        """In a forked child: begin empty, and listen on a connection of its own."""
        self._memory.after_fork()
        self._watch.after_fork()
        self._admit()

    def _admit(self) -> None:
        """Have a gate for questions: so many at once, the others wait before it."""
        self._gate = threading.BoundedSemaphore(max(1, self._database.connections - LEFT))

    def _known(self, question: Question[V], asked: tuple[str, ...]) -> Kept | None:
        return self._memory.get((question, *asked)) if self._watch.current() else None

    def _answer(self, question: Question[V], *asked: str) -> V | None:
        kept = self._known(question, asked)
        if kept is not None:
            return cast("V | None", kept.value)
        return self._ask(question, *asked) if question.possible(asked) else None

    async def _async_answer(self, question: Question[V], *asked: str) -> V | None:
        kept = self._known(question, asked)
        if kept is not None:
            return cast("V | None", kept.value)
        if not question.possible(asked):
            return None
        return await asyncio.to_thread(self._ask, question, *asked)

    def _ask(self, question: Question[V], *asked: str) -> V | None:
        gate = self._gate
        if not gate.acquire(timeout=self._database.timeout_s):
            raise Unavailable(NO_ANSWER)
        try:
            kept = self._known(question, asked)  # what another one has asked meanwhile
            if kept is not None:
                return cast("V | None", kept.value)
            return self._read(question, *asked)
        finally:
            gate.release()

    def _read(self, question: Question[V], *asked: str) -> V | None:
        with self._memory.reading() as reading:
            try:
                with self._database.reading() as connection:
                    found = question.read(connection, *asked)
            except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
                raise Unavailable(NO_ANSWER) from error
            self._memory.keep(reading, (question, *asked), found.value, found.keys)
        return found.value


def folded(name: str) -> str:
    """A slug or a domain as it is stored; "" for one that can't be."""
    return name.lower() if name.isascii() else ""


def key_hash(secret: str) -> str:
    """The hash under which an API key is stored, in hexadecimal; "" for what can't be one."""
    return api_keys.digest(secret).hex() if api_keys.plausible(secret) else ""


def usable(expiring: Expiring | None) -> Key | None:
    """The key, if its time has not ended."""
    if expiring is None or (expiring.expires_at is not None and expiring.expires_at <= now()):
        return None
    return expiring.key


_every: weakref.WeakSet[Access] = weakref.WeakSet()


def after_fork() -> None:
    """In a forked child."""
    for access in _every:
        access.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=after_fork)
