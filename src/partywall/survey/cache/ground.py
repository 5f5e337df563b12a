"""What attacks on a cache start from: the server's commands, tried by the administrator first.

Which arguments a command takes is for the server to say. Each is run on keys of the survey's own,
by kind of key, until it is taken; what isn't taken by any is attacked all the same, since a refusal
by permission comes before everything else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.errors import TargetError
from partywall.survey.cache.calls import Call, plant, uproot
from partywall.survey.cache.commands import Command, commands
from partywall.survey.cache.filling import KINDS, filled
from partywall.survey.cache.keyed import READ, words
from partywall.survey.cache.scene import Filling, Keys, Scene
from partywall.survey.trying import ADMINISTRATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from partywall.survey.cache.settings import CacheLogin
    from partywall.survey.cache.wire import Wire

DATABASES, MOST_PADDING = 16, 4
LIBRARY = """#!lua name={name}
redis.register_function{{function_name='{name}', flags={{'no-writes'}},
  callback=function(keys, args) return redis.call('GET', keys[1]) end}}
redis.register_function{{function_name='{name}u', flags={{'no-writes'}},
  callback=function(keys, args) return redis.call('GET', args[1]) end}}
"""


def keys_for(login: CacheLogin, run: str) -> Keys:
    """Keys of a tenant's own, named by its prefix, with values that stand nowhere else."""
    return Keys(
        login.name,
        login.prefix.encode().decode("latin-1"),
        login.channels.encode().decode("latin-1"),
        run,
        f"pw{secrets.token_hex(8)}",
        str(7 * 10**11 + secrets.randbelow(10**11)),
    )


@dataclass
class Ground:
    """A Redis as its administrator sees it, and what the survey makes there for all attacks."""

    wire: Wire
    run: str
    given: dict[str, str] = field(default_factory=dict)

    def prepared(self, logins: Mapping[str, str], own: Keys) -> Scene:
        """Everything of a scene but who attacks whom; *own* are keys for the administrator."""
        every = commands(self.wire.ask(ADMINISTRATOR, "COMMAND"), self._documented())
        self.given["db"] = "0"  # MOVE goes nowhere: what is moved out of sight is not cleaned up
        self.given["sha1"] = str(self.wire.ask(ADMINISTRATOR, "SCRIPT", "LOAD", READ))
        setting = self._optional("CONFIG", "GET", "maxmemory-samples")
        self.given["samples"] = setting.splitlines()[-1] if setting else ""
        if self._optional("FUNCTION", "LOAD", "REPLACE", LIBRARY.format(name=self._functions)):
            self.given["function"] = self._functions
            self.given["undeclared"] = f"{self._functions}u"
        self.wire.do(ADMINISTRATOR, plant(own))
        self.given["serialized-value"] = self._optional("DUMP", own.of["string"])
        self.given["decrement"] = self.given["increment"] = "1"
        scene = Scene(
            own, own, (), tuple(c for c in every if not (c.keyed and c.arguments)), self.given,
            f"partywall_{self.run}" if "function" in self.given else "",
            int(self.wire.ask(ADMINISTRATOR, "DBSIZE")), self._empty_database(), logins,
        )  # fmt: skip
        keyed = [command for command in every if command.keyed and command.arguments]
        return Scene(
            own, own, tuple(self._rehearsed(scene, keyed, own)), scene.commands, self.given,
            scene.library, scene.size, scene.empty_database, logins,
        )  # fmt: skip

    def allowed(self, login: str, every: Iterable[Command], word: str) -> Iterator[str]:
        """Commands that the server would let a user run; all where it can't be asked (Redis 6).

        *word* stands where one wants more arguments than it says; it names another tenant's key.
        """
        for command in every:
            call = filled(command, lambda _: None, self.given)
            paddings = ((word,) * number for number in range(MOST_PADDING))
            asked = (  # not each says how many arguments it wants
                self.wire.do(ADMINISTRATOR, Call(("ACL", "DRYRUN", login, *call, *padding)))
                for padding in paddings
            )
            answered = next((one.text for one in asked if one.ok), "OK")
            if answered == "OK":
                yield command.name

    def clear(self) -> None:
        """Remove what was made for all attacks, but for a script: nothing unloads a single one."""
        if "function" in self.given:
            self.wire.do(ADMINISTRATOR, Call(("FUNCTION", "DELETE", self._functions)))

    @property
    def _functions(self) -> str:
        return f"partywall_{self.run}_f"

    def _documented(self) -> object:
        try:
            return self.wire.ask(ADMINISTRATOR, "COMMAND", "DOCS")
        except TargetError:
            return []  # before Redis 7 nothing is documented

    def _optional(self, *words: str) -> str:
        return self.wire.do(ADMINISTRATOR, Call(words)).text

    def _empty_database(self) -> int | None:
        """The last database without a key; a server may have fewer than it has numbers."""
        for database in reversed(range(1, DATABASES)):
            size = self.wire.do(ADMINISTRATOR, Call(("DBSIZE",), database=database))
            if size.text == "0":
                return database
        return None

    def _rehearsed(self, scene: Scene, keyed: Iterable[Command], own: Keys) -> Iterator[Filling]:
        for command in keyed:
            kinds = KINDS.get(command.group, ("string",))
            tried = (Filling(command, kind, proved=False) for kind in kinds)
            taken = (one for one in tried if self._taken(scene, one, own))
            first = next(taken, None)
            yield Filling(command, first.kind if first else kinds[0], proved=first is not None)
        self.wire.do(ADMINISTRATOR, uproot(own))

    def _taken(self, scene: Scene, filling: Filling, own: Keys) -> bool:
        self.wire.do(ADMINISTRATOR, plant(own))
        return self.wire.do(ADMINISTRATOR, Call(words(scene, filling, 0, own, own))).ok
