"""Watch a cache as its administrator while tenants use the application, one after the other."""

from __future__ import annotations

import ast
import re
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

from partywall.errors import TargetError
from partywall.survey.cache.attacks import observed
from partywall.survey.cache.calls import LOOK, Call
from partywall.survey.cache.commands import commands
from partywall.survey.cache.observation import Observation, Turn
from partywall.survey.recorded import Memory, Record
from partywall.survey.trying import ADMINISTRATOR, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.cache.wire import Wire
    from partywall.survey.driven import Driving
    from partywall.survey.layers import Watch
    from partywall.survey.tally import Tally

MOST_KEYS = 100_000
LINE = re.compile(r"^\d+\.\d+ \[(\d+) \S+\] (\".*\")$")
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')
PUBLISH = frozenset({"PUBLISH", "SPUBLISH"})


async def observe(watcher: Watcher, driving: Driving, tally: Tally, watch: Watch) -> None:
    """Each ordered pair of tenants: the one, then the other, with a cache that neither has filled.

    Only keys that came into being while the application was driven are removed in between; a cache
    that was warm before may hide what a cold one shows, which is said.
    """
    trial: Trial[Record] = Trial("cache", Memory(), watch, tally)
    if watcher.before is None:
        tally.left.append(
            f"there are more than {MOST_KEYS} keys: those of an earlier turn were not removed, so "
            "what only a cold cache shows was not seen"
        )
    try:
        for first, second in permutations(driving.tenants, 2):
            watch.stage(f"{first}, then {second}, use the application")
            watcher.forget()
            one = await watcher.turn(driving, first)
            observation = Observation(one, await watcher.turn(driving, second))
            trial.run((attack, attack.plan(observation)) for attack in observed())
    finally:
        watcher.forget()


class Watcher:
    """Sees which keys of one database are touched.

    Attributes:
        before: the keys that there were; None where they are too many to ask for.
    """

    def __init__(self, wire: Wire, database: str = "0") -> None:
        self._wire, self._database = wire, database
        every = commands(wire.ask(ADMINISTRATOR, "COMMAND"), [])
        self._writing = {one.words[0] for one in every if "write" in one.flags}
        self.before = self._names()
        self._born: set[str] = set()

    async def turn(self, driving: Driving, tenant: str) -> Turn:
        """Let a tenant use the application, and see what that does to the cache.

        Raises:
            TargetError: the administrator may not watch, or not look at what was touched.
        """
        self._asked(Call(("MONITOR",), apart=True))
        answers = tuple(await driving.drive(tenant))
        heard = self._wire.do(ADMINISTRATOR, Call(("MONITOR",), apart=True, heard=True)).text
        touched: dict[str, set[str]] = {}
        written: set[str] = set()
        published: dict[str, list[str]] = {}
        said = dict.fromkeys(spoken(heard, self._database))  # keys are asked for once a command
        for words in said:
            name = words[0].upper()
            if name in PUBLISH and len(words) > 2:  # noqa: PLR2004 - a channel and a message
                published.setdefault(words[1], []).append(words[2])
            for key in self._keys(words):
                touched.setdefault(key, set()).add(name)
                if name in self._writing:
                    written.add(key)
        if self.before is not None:
            self._born |= written - self.before
        return Turn(
            tenant,
            partial(driving.marks, tenant),
            answers,
            {key: frozenset(names) for key, names in touched.items()},
            frozenset(written),
            {channel: tuple(said) for channel, said in published.items()},
            {key: self._value(key) for key in touched},
        )

    def forget(self) -> None:
        """Remove the keys that weren't there before."""
        if self._born:
            self._wire.do(ADMINISTRATOR, Call(("UNLINK", *sorted(self._born))))
        self._born = set()

    def _names(self) -> frozenset[str] | None:
        if int(self._wire.ask(ADMINISTRATOR, "DBSIZE")) > MOST_KEYS:
            return None
        found: set[str] = set()
        cursor = "0"
        while True:
            cursor, names = self._wire.ask(ADMINISTRATOR, "SCAN", cursor, "COUNT", "1000")
            found.update(names)
            if cursor == "0":
                return frozenset(found)

    def _keys(self, words: Sequence[str]) -> list[str]:
        asked = self._wire.do(ADMINISTRATOR, Call(("COMMAND", "GETKEYS", *words)))
        return asked.text.split("\n") if asked.ok and asked.text else []

    def _value(self, key: str) -> str:
        return self._asked(Call(("EVAL", LOOK, "1", key)))

    def _asked(self, call: Call) -> str:
        answer = self._wire.do(ADMINISTRATOR, call)
        if not answer.ok:
            raise TargetError(
                f"the cache refuses its administrator {call.words[0]}, without which nothing can "
                f"be seen of the application's keys: {answer.error}; let the login of [cache] url "
                "do it"
            )
        return answer.text


def spoken(heard: str, database: str = "0") -> Iterator[tuple[str, ...]]:
    """The commands in what MONITOR told: those in one database, and messages, which are in none."""
    for line in heard.split("\n"):
        if found := LINE.match(line):
            words = tuple(_unquoted(word) for word in WORD.findall(found[2]))
            name = words[0].upper() if words else "PING"
            if name != "PING" and (found[1] == database or name in PUBLISH):
                yield words


def _unquoted(word: str) -> str:
    """A word as it was before MONITOR quoted it: as a literal of Python."""
    text = ast.literal_eval(f'b"{word}"') if "\\" in word else word.encode("latin-1")
    return str(text.decode("latin-1"))
