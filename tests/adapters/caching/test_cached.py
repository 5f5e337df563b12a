"""Functions whose answers are kept, for each tenant apart."""

# ruff: noqa: ANN401 - whatever a function takes and gives

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import inspect
import json
import math
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from partywall.adapters.caching import MemoryStore, cached
from partywall.adapters.caching.arguments import canonical, digest
from partywall.adapters.redis import TenantCache
from partywall.context import TenantContext
from partywall.errors import ConfigurationError, MissingTenant, NotAuthenticated
from tests.adapters.caching import functions
from tests.adapters.caching.functions import CALLS
from tests.adapters.redis.caches import ACME, GLOBEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.adapters.caching.stores import Stores


@pytest.fixture(autouse=True)
def _from_nothing() -> None:
    CALLS.clear()


def kept(stores: Stores, name: str, **options: Any) -> Any:
    """A function of `functions` over a store, called as if it blocked."""
    options = {"ttl_s": 100, "by": "tenant", **options}
    if stores.runner is None:
        return cached(stores.store, **options)(getattr(functions, name))
    function = cached(stores.store, **options)(getattr(functions, f"async_{name}"))
    runner = stores.runner

    class Waiting:
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return runner.run(self.waited(function, args, kwargs))

        def invalidate(self, *args: Any, **kwargs: Any) -> Any:
            return runner.run(self.waited(function.invalidate, args, kwargs))

        async def waited(self, what: Any, args: Any, kwargs: Any) -> Any:
            return await what(*args, **kwargs)

    return Waiting()


def test_an_answer_is_computed_once_for_each_tenant_and_for_each_argument(stores: Stores) -> None:
    totals = kept(stores, "totals")
    for _ in range(2):
        assert totals(ACME, 2026) == {"tenant": "acme", "year": 2026, "in": "EUR"}
        assert totals(ACME, year=2026, currency="EUR")["year"] == 2026
        assert totals(context=ACME, year=2026)["year"] == 2026
    assert CALLS["totals"] == 1
    assert totals(GLOBEX, 2026)["tenant"] == "acme:eu"
    assert totals(ACME, 2025)["year"] == 2025
    assert totals(ACME, 2026, currency="USD")["in"] == "USD"
    assert CALLS["totals"] == 4


def test_answers_are_forgotten_one_by_one_or_all_of_a_tenant(stores: Stores) -> None:
    totals = kept(stores, "totals")
    asked = [(ACME, 1), (ACME, 2), (GLOBEX, 1)]
    for each in asked:
        totals(*each)
    totals.invalidate(ACME, 1)
    for each in asked:
        totals(*each)
    assert CALLS["totals"] == 4
    totals.invalidate(ACME)
    for each in asked:
        totals(*each)
    assert CALLS["totals"] == 6


def test_another_version_has_other_answers(stores: Stores) -> None:
    kept(stores, "totals")(ACME, 1)
    kept(stores, "totals", version=2)(ACME, 1)
    kept(stores, "totals")(ACME, 1)
    assert CALLS["totals"] == 2


def test_an_answer_by_user_is_given_to_nobody_else_nor_to_the_user_with_other_rights(
    stores: Stores,
) -> None:
    mine = kept(stores, "mine", by="user")
    ann = TenantContext("acme", "ann", permissions={"read"})
    assert mine(ann) == mine(ann) == ["ann", "read"]
    assert CALLS["mine"] == 1
    assert mine(TenantContext("acme", "bob", permissions={"read"})) == ["bob", "read"]
    assert mine(TenantContext("acme", "ann")) == ["ann"]
    assert mine(TenantContext("acme", "ann", roles={"owner"}, permissions={"read"})) == [
        "ann",
        "read",
    ]
    assert mine(TenantContext("globex", "ann", permissions={"read"})) == ["ann", "read"]
    assert CALLS["mine"] == 5
    with pytest.raises(NotAuthenticated, match="names none"):
        mine(TenantContext("acme"))


def test_an_answer_by_tenant_is_the_same_for_all_its_users(stores: Stores) -> None:
    mine = kept(stores, "mine", by="tenant")
    assert mine(TenantContext("acme", "ann")) == mine(TenantContext("acme", "bob")) == ["ann"]


@pytest.mark.parametrize("context", [None, "acme", {"tenant_id": "acme"}])
def test_without_a_context_nothing_is_computed(stores: Stores, context: object) -> None:
    totals = kept(stores, "totals")
    for call in (
        lambda: totals(context, 2026),
        lambda: totals(context=context, year=2026),
        lambda: totals(year=2026),
        totals,
        lambda: totals.invalidate(context),
    ):
        with pytest.raises(MissingTenant, match="without a TenantContext"):
            call()
    assert not CALLS


@pytest.mark.parametrize(
    "function",
    [functions.no_context, functions.second, functions.unannotated, functions.nothing,
     functions.named_only, functions.Owner.totals],
)  # fmt: skip
def test_a_function_whose_first_parameter_is_no_context_is_refused(
    function: Callable[..., Any],
) -> None:
    with pytest.raises(ConfigurationError, match="first parameter"):
        cached(MemoryStore(), ttl_s=1, by="tenant")(function)


def test_what_would_not_be_in_the_name_is_refused() -> None:
    year = 2026

    def enclosed(context: TenantContext) -> str:
        return f"{context.tenant_id} {year}"

    def free(context: TenantContext) -> str:
        return context.tenant_id

    with pytest.raises(ConfigurationError, match="function around it"):
        cached(MemoryStore(), ttl_s=1, by="tenant")(enclosed)
    assert cached(MemoryStore(), ttl_s=1, by="tenant")(free)(ACME) == "acme"


def test_whose_an_answer_is_has_to_be_said() -> None:
    with pytest.raises(TypeError, match="by"):
        cached(MemoryStore(), ttl_s=1)  # type: ignore[call-arg] # what the test is about
    with pytest.raises(ConfigurationError, match='"tenant" or "user"'):
        cached(MemoryStore(), ttl_s=1, by="all")  # type: ignore[arg-type] # as above


@pytest.mark.parametrize(
    "argument", [object(), 1 + 2j, math.inf, math.nan, functions, [object()], ACME]
)
def test_an_argument_without_one_form_is_refused(argument: object) -> None:
    anything = cached(MemoryStore(), ttl_s=1, by="tenant")(functions.anything)
    calls: list[Callable[[], object]] = [
        lambda: anything(ACME, argument),
        lambda: anything(ACME, of={"x": argument}),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="can't be part of a cached answer's name"):
            call()
    assert not CALLS


class Colour(enum.Enum):
    RED = 1
    ROUGE = "RED"


class Level(enum.IntEnum):
    ONE = 1


class Rights(enum.IntFlag):
    READ = 1


DISTINCT: list[object] = [
    1, 1.0, True, "1", b"1", None, "None", [1], (1,), {1}, {"1": 1}, {1: 1}, [[1]], [1, 1], "",
    [], (), {}, set(), Decimal(1), Decimal("1.0"), dt.date(2026, 1, 1), dt.datetime(2026, 1, 1),  # noqa: DTZ001
    dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.time(1), UUID(int=1), str(UUID(int=1)), Colour.RED,
    Colour.ROUGE, Level.ONE, ["int", "1"], ("int", "1"), 0.1, -0.0, 0, 0.0, "int", ["int", 1],
    Rights.READ, Rights(16), Rights(32), Rights(17),
    *(dt.time(1, tzinfo=ZoneInfo(zone)) for zone in ("Europe/Berlin", "Asia/Tokyo")),
]  # fmt: skip


def test_arguments_that_differ_in_type_or_in_value_have_other_names() -> None:
    names = [digest({"a": each}) for each in DISTINCT]
    assert len(set(names)) == len(DISTINCT)
    assert digest({"a": 1, "b": 2}) != digest({"b": 1, "a": 2})


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False) | st.uuids() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3)
    | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def typed(value: object) -> object:
    """What two values have in common when they are the same in every type."""
    if isinstance(value, dict):
        return ("dict", frozenset((key, typed(each)) for key, each in value.items()))
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *map(typed, value))
    return (type(value).__name__, repr(value))


@given(one=PLAIN, other=PLAIN)
def test_two_arguments_have_one_form_exactly_when_they_are_the_same(
    one: object, other: object
) -> None:
    assert (canonical(one) == canonical(other)) is (typed(one) == typed(other))
    assert json.dumps(canonical(one)) == json.dumps(canonical(one))


@pytest.mark.parametrize("name", ["a_tuple", "a_date", "not_a_number"])
def test_an_answer_that_would_come_back_as_another_is_refused(name: str) -> None:
    function = cached(MemoryStore(), ttl_s=1, by="tenant")(getattr(functions, name))
    with pytest.raises((TypeError, ValueError), match="JSON"):
        function(ACME)


class Dates:
    """A codec."""

    def dumps(self, answer: dt.date, /) -> bytes:
        return answer.isoformat().encode()

    def loads(self, kept: bytes, /) -> dt.date:
        return dt.date.fromisoformat(kept.decode())


def test_a_codec_of_ones_own() -> None:
    function = cached(MemoryStore(), ttl_s=9, by="tenant", codec=Dates())(functions.a_date)
    assert function(ACME) == function(ACME) == dt.date(2026, 1, 1)


def test_a_store_of_the_other_kind_is_refused() -> None:
    store = MemoryStore()
    with pytest.raises(ConfigurationError, match="needs a store of async caches"):
        cached(store.asynchronous, ttl_s=1, by="tenant")(functions.totals)(ACME, 1)
    awaited = cached(store, ttl_s=1, by="tenant")(functions.async_totals)
    with pytest.raises(ConfigurationError, match="needs a store of async caches"):
        asyncio.run(awaited(ACME, 1))


def test_a_cached_function_is_still_itself() -> None:
    function = cached(MemoryStore(), ttl_s=1, by="tenant")(functions.totals)
    assert function.__doc__ == functions.totals.__doc__
    assert inspect.iscoroutinefunction(
        cached(MemoryStore().asynchronous, ttl_s=1, by="tenant")(functions.async_totals)
    )


def test_what_lies_in_redis_tells_no_argument_and_is_json(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        function = cached(partial(TenantCache, client), ttl_s=9, by="tenant")(functions.totals)
        function(ACME, 1, currency="the canary")
        [key] = client.keys("*")
        assert key.startswith(b"pw:{acme}:cached:tests.adapters.caching.functions.totals:1:")
        assert b"canary" not in key
        assert json.loads(client.get(key)[16:])["in"] == "the canary"
