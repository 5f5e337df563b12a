"""What talks to a Redis: a connection for each actor, and one more for whoever listens.

Every byte is passed on as it is: texts are read and written as Latin-1, whatever they hold.
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.http.hiding import variable
from partywall.survey.trying import ADMINISTRATOR, Outcome
from partywall.survey.verdict import WitnessStep

try:
    from redis.connection import ConnectionPool, parse_url
    from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
except ImportError as missing:
    raise ConfigurationError(
        "a survey of a cache needs redis-py: pip install 'partywall[redis]'"
    ) from missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis.connection import ConnectionInterface

    from partywall.survey.cache.calls import Call

Place: TypeAlias = tuple[str, bool, int | None]
"""Of a connection: whose, whether it listens, in which database."""
LIMIT_S = 10


class Wire:
    """Connections by actor.

    Args:
        urls: actor's name -> address with its login.
        named: what witnesses call the addresses: ``$ACME_CACHE_URL``.
    """

    def __init__(self, urls: Mapping[str, str], named: str = "CACHE") -> None:
        self._urls, self._named = urls, named
        self._open: dict[Place, ConnectionInterface] = {}
        self._told: list[Any] = []

    def do(self, who: str, call: Call) -> Outcome:
        """Ask as *who*.

        Raises:
            TargetError: the server can't be reached at all.
        """
        place = (who, call.apart, call.database)
        try:
            if call.heard:
                return Outcome(self._heard(place))
            if call.apart:
                self._drop(place)
            connection = self._connection(place)
            connection.send_command(*call.words)  # type: ignore[no-untyped-call] # redis-py leaves it so
            return Outcome(written(connection.read_response(push_request=call.apart)))
        except (ResponseError, AuthenticationError) as error:
            return _refusal(error)
        except (RedisError, OSError) as error:
            self._drop(place)
            return Outcome(error=f"no answer: {error}", lost=True)

    def ask(self, who: str, *words: str) -> Any:  # noqa: ANN401 - whatever a Redis answers
        """The plain answer.

        Raises:
            TargetError: the server refused, or can't be reached.
        """
        place = (who, False, None)
        try:
            connection = self._connection(place)
            connection.send_command(*words)  # type: ignore[no-untyped-call] # redis-py leaves it so
            return connection.read_response()
        except (RedisError, OSError) as error:
            self._drop(place)
            target = without_secret(self._urls[who])
            command = " ".join(words[:2])
            raise TargetError(f"the Redis at {target}, as {who}: {command}: {error}") from error

    def told(self, who: str, call: Call, returned: str) -> WitnessStep:
        """The same for redis-cli; its address is in an environment variable."""
        database = "" if call.database is None else f" -n {call.database}"
        spoken = " ".join(_word(word) for word in call.words)
        address = f'"${address_variable(who, self._named)}"'
        return WitnessStep(who, "", returned, f"redis-cli -u {address}{database} {spoken}")

    def close(self) -> None:
        """End all connections."""
        for place in list(self._open):
            self._drop(place)

    def _connection(self, place: Place) -> ConnectionInterface:
        if place not in self._open:
            who, apart, database = place
            chosen = {} if database is None else {"db": database}
            pool = ConnectionPool.from_url(
                self._urls[who], encoding="latin-1", decode_responses=True,
                protocol=3 if apart else 2, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S,
            )  # fmt: skip
            pool.connection_kwargs |= chosen
            connection = pool.make_connection()
            try:
                connection.connect()  # type: ignore[no-untyped-call] # redis-py leaves it so
            except (AuthenticationError, ResponseError):
                raise
            except (RedisError, OSError) as error:
                target = without_secret(self._urls[who])
                raise TargetError(f"the Redis at {target} does not answer: {error}") from error
            if apart:  # redis-py gives no other way to hear which keys are told to have changed
                connection._parser.set_invalidation_push_handler(self._told.append)  # type: ignore[attr-defined] # noqa: SLF001
            self._open[place] = connection
        return self._open[place]

    def _heard(self, place: Place) -> str:
        """What has arrived on the connection that listens; an answer comes after all that did."""
        connection = self._open.get(place)
        heard: list[str] = []
        with suppress(RedisError, OSError):
            if connection is not None:
                connection.send_command("PING")  # type: ignore[no-untyped-call] # redis-py leaves it so
                while (answer := written(connection.read_response(push_request=True))) != "PONG":
                    heard.append(answer)
        heard += map(written, self._told)
        self._told.clear()
        self._drop(place)
        return "\n".join(heard)

    def _drop(self, place: Place) -> None:
        connection = self._open.pop(place, None)
        if connection is not None:
            with suppress(RedisError, OSError):
                connection.disconnect()  # type: ignore[no-untyped-call] # redis-py leaves it so


def _refusal(error: RedisError) -> Outcome:
    """An error of the server; redis-py takes the code of some away and makes a class of it."""
    text = str(error)
    refused = isinstance(error, NoPermissionError | AuthenticationError) or "permission" in text
    return Outcome(error=text, refused=refused)


def written(answer: object) -> str:
    """An answer as redis-cli prints it, a line for each element."""
    if answer is None:
        return "(nil)"
    if isinstance(answer, ResponseError):
        return f"ERROR {answer}"
    if isinstance(answer, dict):
        answer = [part for pair in answer.items() for part in pair]
    if isinstance(answer, list | tuple | set):
        return "\n".join(written(one) for one in answer)
    return str(answer)


def address_variable(who: str, named: str) -> str:
    """The environment variable that holds an actor's address: ``ACME_CACHE_URL``."""
    return f"{named}_ADMIN_URL" if who == ADMINISTRATOR else f"{variable(who)}_{named}_URL"


def without_secret(url: str) -> str:
    """An address fit for a report: no login, no password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def database(url: str) -> str:
    """The number of the database that an address names."""
    return str(parse_url(url).get("db", 0))  # type: ignore[no-untyped-call] # redis-py leaves it so


def as_login(url: str, login: str) -> str:
    """The address *url* with the user and password of the address *login*."""
    there, who = urlsplit(url), urlsplit(login)
    user, at, _ = who.netloc.rpartition("@")
    place = there.netloc.rpartition("@")[2]
    query = "&".join(filter(None, [_without_login(there.query), _login_in(who.query)]))
    return urlunsplit((there.scheme, f"{user}{at}{place}", there.path, query, ""))


def nobodys(url: str) -> str:
    """The address without any login."""
    return as_login(url, "redis://")


def _login_in(query: str) -> str:
    return "&".join(p for p in query.split("&") if p.partition("=")[0] in {"username", "password"})


def _without_login(query: str) -> str:
    return "&".join(
        p for p in query.split("&") if p and p.partition("=")[0] not in {"username", "password"}
    )


def _word(word: str) -> str:
    """A word for bash; bytes that nobody can paste are escaped."""
    if word.isascii() and word.isprintable():
        return shlex.quote(word)
    if "\n" in word and word.replace("\n", "").isprintable():
        return shlex.quote(word)
    escaped = word.encode("latin-1", "replace")
    return (
        "$'"
        + "".join(
            chr(b) if 32 <= b < 127 and chr(b) not in "'\\" else f"\\x{b:02x}"  # noqa: PLR2004 - ASCII
            for b in escaped
        )
        + "'"
    )
