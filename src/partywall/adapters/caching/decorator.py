"""Functions whose answers are kept, for each tenant apart."""

from __future__ import annotations

import functools
import inspect
import json
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Literal,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    get_type_hints,
)

from partywall.adapters.caching.arguments import digest
from partywall.adapters.caching.flight import Terms
from partywall.context import TenantContext
from partywall.errors import ConfigurationError, MissingTenant, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

By: TypeAlias = Literal["tenant", "user"]


class Cache(Protocol):
    """What `cached` needs of a tenant's cache."""

    def get_or_compute(
        self,
        key: str,
        compute: Callable[[], bytes],
        *,
        ttl_s: float,
        stale_s: float,
        lock_s: float,
        group: str,
    ) -> bytes:
        """The value, computed by one where there is none."""
        ...

    @property
    def invalidate(self) -> Callable[[str], None]:
        """Removes an answer."""
        ...

    @property
    def invalidate_group(self) -> Callable[[str, float], None]:
        """Makes a group out of date."""
        ...


class AsyncCache(Protocol):
    """As `Cache`, for async functions."""

    async def get_or_compute(
        self,
        key: str,
        compute: Callable[[], Awaitable[bytes]],
        *,
        ttl_s: float,
        stale_s: float,
        lock_s: float,
        group: str,
    ) -> bytes:
        """The value, computed by one where there is none."""
        ...

    @property
    def invalidate(self) -> Callable[[str], Coroutine[Any, Any, None]]:
        """Removes an answer."""
        ...

    @property
    def invalidate_group(self) -> Callable[[str, float], Coroutine[Any, Any, None]]:
        """Makes a group out of date."""
        ...


class Codec(Protocol):
    """How answers become bytes, and are read again."""

    def dumps(self, answer: Any, /) -> bytes:
        """*answer* as bytes."""
        ...

    def loads(self, kept: bytes, /) -> Any:
        """What `dumps` was given."""
        ...


class JSON:
    """Answers as JSON: text, numbers, lists, objects with text as names, True, False and None."""

    def dumps(self, answer: Any, /) -> bytes:
        """*answer* as bytes.

        Raises:
            TypeError: for what would not come back as it was.
            ValueError: for numbers that JSON hasn't: infinity, not a number.
        """
        text = json.dumps(answer, allow_nan=False, separators=(",", ":"))
        if json.loads(text) != answer:
            raise TypeError(
                "the answer would come back from JSON as another one (a tuple as a list, a number "
                "that names something as text): return what JSON has, or pass a codec="
            )
        return text.encode()

    def loads(self, kept: bytes, /) -> Any:
        """What `dumps` was given."""
        return json.loads(kept)


class Cached(Protocol[P, R_co]):
    """A function whose answers are kept."""

    def __call__(self, context: TenantContext, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """The answer, kept or computed."""
        ...

    def invalidate(self, context: TenantContext, /, *args: Any, **kwargs: Any) -> Any:
        """Forget the answer to these arguments; without any, all of the tenant's.

        It is awaited where the function is. What is being computed now isn't kept either.
        """
        ...


class Decorator(Protocol):
    """Makes functions with answers that are kept."""

    def __call__(self, function: Callable[Concatenate[TenantContext, P], T], /) -> Cached[P, T]:
        """*function*, over the store."""
        ...


def cached(
    store: Callable[[TenantContext], Cache | AsyncCache],
    *,
    ttl_s: float,
    by: By,
    version: int = 1,
    stale_s: float = 0.0,
    lock_s: float = 10.0,
    codec: Codec | None = None,
) -> Decorator:
    """Keep what a function answers, for the tenant of its first argument.

    An answer's name is made of the function's qualified name, the version and all arguments, as
    values; a context is no part of it but as *by* says.

    Args:
        store: gives a tenant's cache: `functools.partial(TenantCache, redis)`, a `MemoryStore`;
            for async functions `functools.partial(AsyncTenantCache, redis)` or
            `MemoryStore(…).asynchronous`.
        ttl_s: for how long an answer is fresh.
        by: whose answer it is: the "tenant"'s, the same for whoever asks; or the "user"'s, where it
            depends on who asks or what they may: then user, roles and permissions are in its name.
        version: raise it when the function answers otherwise than before.
        stale_s: for how long after `ttl_s` it is given while one caller computes the next.
        lock_s: when another caller may compute because the first must have died.
        codec: how answers are written; JSON by default.

    Raises:
        ConfigurationError: by the decorator, for a function whose first parameter is not a
            TenantContext, that is a lambda, or uses variables of a function around it: they would
            not be in the name.
        MissingTenant: by the function, called without a context.
        NotAuthenticated: by the function, `by="user"` and the context names no user.
        TypeError: by the function, for an argument without one written form, or an answer that
            doesn't come back as it was.
    """
    if by not in {"tenant", "user"}:
        raise ConfigurationError('by= says whose answer it is: "tenant" or "user"')
    terms = Terms(ttl_s, stale_s, lock_s).checked()

    def decorated(function: Callable[..., Any]) -> Any:
        naming = Naming(function, by, version)
        kept = Kept(function, naming, store, terms._replace(group=naming.group), codec or JSON())
        return kept.awaited() if inspect.iscoroutinefunction(function) else kept.called()

    return decorated


class Naming:
    """The name of a function's answers."""

    def __init__(self, function: Callable[..., Any], by: By, version: int) -> None:
        self._by = by
        self._signature = inspect.signature(function)
        self._first = first_parameter(function, self._signature)
        code = inspect.unwrap(function).__code__
        self._called = f"{function.__module__}.{function.__qualname__}"
        if code.co_freevars or code.co_name == "<lambda>":
            raise ConfigurationError(
                f"{self._called} is a lambda, or uses variables of the function around it, which "
                "would not be in the answer's name: make it a function of a module, and pass it "
                "all that it uses"
            )
        self.group = f"cached:{self._called}:{version}"

    def context(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TenantContext:
        """Who asks.

        Raises:
            MissingTenant: when nobody says.
        """
        context = args[0] if args else kwargs.get(self._first)
        if not isinstance(context, TenantContext):
            raise MissingTenant(f"{self._called} was called without a TenantContext as its first")
        return context

    def name(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """The name of the answer to these arguments.

        Raises:
            NotAuthenticated: when it is a user's, and the context names none.
            TypeError: for an argument without one written form, or that the function hasn't.
        """
        context = self.context(args, kwargs)
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = dict(bound.arguments)
        del arguments[self._first]
        named: dict[str, object] = {"arguments": arguments}
        if self._by == "user":
            if not context.user_id:
                raise NotAuthenticated(
                    f"{self._called} keeps its answers by user, and this context names none"
                )
            named |= {
                "user": context.user_id,
                "roles": context.roles,
                "permissions": context.permissions,
            }
        return f"{self.group}:{digest(named)}"


class Kept:
    """A function over a store."""

    def __init__(
        self,
        function: Callable[..., Any],
        naming: Naming,
        store: Callable[[TenantContext], Any],
        terms: Terms,
        codec: Codec,
    ) -> None:
        self._function, self._naming, self._store = function, naming, store
        self._terms, self._codec = terms, codec
        self._keep_s = terms.ttl_s + terms.stale_s + terms.lock_s + 1

    def called(self) -> Any:
        """The function."""

        @functools.wraps(self._function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            cache = self._cache(args, kwargs, awaited=False)
            name = self._naming.name(args, kwargs)
            return self._codec.loads(
                cache.get_or_compute(
                    name,
                    lambda: self._codec.dumps(self._function(*args, **kwargs)),
                    **self._terms._asdict(),
                )
            )

        def invalidate(*args: Any, **kwargs: Any) -> None:
            self._invalidating(args, kwargs, awaited=False)

        wrapper.invalidate = invalidate  # type: ignore[attr-defined] # `Cached` says it
        return wrapper

    def awaited(self) -> Any:
        """The function, where it is async."""

        @functools.wraps(self._function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            async def computed() -> bytes:
                return self._codec.dumps(await self._function(*args, **kwargs))

            cache = self._cache(args, kwargs, awaited=True)
            name = self._naming.name(args, kwargs)
            kept = await cache.get_or_compute(name, computed, **self._terms._asdict())
            return self._codec.loads(kept)

        async def invalidate(*args: Any, **kwargs: Any) -> None:
            await self._invalidating(args, kwargs, awaited=True)

        wrapper.invalidate = invalidate  # type: ignore[attr-defined] # `Cached` says it
        return wrapper

    def _invalidating(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, awaited: bool) -> Any:
        cache = self._cache(args, kwargs, awaited=awaited)
        if len(args) + len(kwargs) > 1:
            return cache.invalidate(self._naming.name(args, kwargs))
        return cache.invalidate_group(self._terms.group, self._keep_s)

    def _cache(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, awaited: bool) -> Any:
        cache = self._store(self._naming.context(args, kwargs))
        if inspect.iscoroutinefunction(cache.get_or_compute) is not awaited:
            raise ConfigurationError(
                "an async function needs a store of async caches, and another one a store of "
                "others: partial(AsyncTenantCache, redis), MemoryStore(…).asynchronous"
            )
        return cache


def first_parameter(function: Callable[..., Any], signature: inspect.Signature) -> str:
    """The name of the parameter that says who asks.

    Raises:
        ConfigurationError: when the first one is not a TenantContext, by its annotation.
    """
    first = next(iter(signature.parameters.values()), None)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if first is not None and first.kind in positional:
        try:
            annotation = get_type_hints(function).get(first.name)
        except NameError:  # imported for type checkers alone
            annotation = first.annotation
        if annotation is TenantContext:
            return first.name
        if isinstance(annotation, str) and annotation.rpartition(".")[2] == TenantContext.__name__:
            return first.name
    raise ConfigurationError(
        f"{function.__qualname__} can't be cached: its first parameter is to be "
        "`context: TenantContext`, which says whose answer it is"
    )
