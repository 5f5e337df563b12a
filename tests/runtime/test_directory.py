"""Who may be entered, and for how long that is remembered."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from partywall.errors import DeletedTenant, InactiveTenant, TenantError, UnknownTenant
from partywall.runtime.directory import CachedDirectory, refusal

if TYPE_CHECKING:
    from partywall.runtime.directory import Standing

FOR_EVER = 1e9


class Register:
    """A table of tenants that counts how often it is asked."""

    def __init__(self, **standings: Standing) -> None:
        self.standings = standings
        self.asked: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, tenant_id: str) -> Standing | None:
        self.asked.append(tenant_id)
        self.threads.add(threading.get_ident())
        return self.standings.get(tenant_id)


@pytest.fixture
def register() -> Register:
    return Register(acme="active", globex="active", initech="active", hooli="suspended")


def test_an_active_tenant_is_asked_for_once(register: Register) -> None:
    directory = CachedDirectory(register, ttl_s=FOR_EVER)
    assert [directory.standing("acme") for _ in range(3)] == ["active"] * 3
    assert register.asked == ["acme"]


def test_without_time_to_live_it_is_asked_for_every_time(register: Register) -> None:
    directory = CachedDirectory(register, ttl_s=0)
    assert directory.standing("acme") == "active"
    register.standings["acme"] = "suspended"
    assert directory.standing("acme") == "suspended"


@pytest.mark.parametrize("standing", ["suspended", "provisioning", "failed", "deleted", None])
def test_what_is_not_active_is_never_remembered(standing: Standing | None) -> None:
    register = Register(**({"acme": standing} if standing else {}))
    directory = CachedDirectory(register, ttl_s=FOR_EVER)
    assert directory.standing("acme") == standing
    register.standings["acme"] = "active"
    assert directory.standing("acme") == "active"


def test_what_is_forgotten_is_asked_for_again(register: Register) -> None:
    directory = CachedDirectory(register, ttl_s=FOR_EVER)
    directory.standing("acme")
    register.standings["acme"] = "suspended"
    assert directory.standing("acme") == "active"
    directory.forget("acme")
    directory.forget("nobody")
    assert directory.standing("acme") == "suspended"
    assert directory.standing("globex") == "active"


def test_the_oldest_is_forgotten_first(register: Register) -> None:
    directory = CachedDirectory(register, ttl_s=FOR_EVER, size=2)
    for tenant in ("acme", "globex", "initech", "globex", "initech", "acme"):
        directory.standing(tenant)
    assert register.asked == ["acme", "globex", "initech", "acme"]


def test_a_failing_lookup_lets_nobody_in() -> None:
    def broken(tenant_id: str) -> Standing:
        raise LookupError(tenant_id)

    directory = CachedDirectory(broken)
    for _ in range(2):
        with pytest.raises(LookupError):
            directory.standing("acme")


def test_async_code_looks_up_in_a_thread_and_shares_what_is_known(register: Register) -> None:
    directory = CachedDirectory(register, ttl_s=FOR_EVER)

    async def main() -> list[Standing | None]:
        return [await directory.async_standing(name) for name in ("acme", "acme", "hooli", "x")]

    assert asyncio.run(main()) == ["active", "active", "suspended", None]
    assert threading.get_ident() not in register.threads
    assert directory.standing("acme") == "active"
    assert register.asked == ["acme", "hooli", "x"]


def test_many_threads_at_once(register: Register) -> None:
    directory = CachedDirectory(register, ttl_s=FOR_EVER, size=1)
    found: list[Standing | None] = []

    def ask() -> None:
        for tenant in ("acme", "globex", "hooli", "initech") * 50:
            found.append(directory.standing(tenant))
            directory.forget(tenant)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count("active") == 600
    assert found.count("suspended") == 200


@pytest.mark.parametrize(
    ("standing", "error", "said"),
    [
        (None, UnknownTenant, "no tenant"),
        ("deleted", DeletedTenant, "deleted"),
        ("suspended", InactiveTenant, "suspended"),
        ("provisioning", InactiveTenant, "provisioning"),
        ("failed", InactiveTenant, "failed"),
        ("Active", InactiveTenant, "Active"),
    ],
)
def test_nothing_but_active_may_be_entered(
    standing: Standing | None, error: type[TenantError], said: str
) -> None:
    refused = refusal(standing)
    assert isinstance(refused, error)
    assert said in str(refused)


def test_active_may_be_entered() -> None:
    assert refusal("active") is None
