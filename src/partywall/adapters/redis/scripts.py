"""Lua scripts of the application, held to the keys that they are given.

A script runs with a `redis.call` that asks the server where a command's keys are (`COMMAND
GETKEYS`) and raises unless each was passed in KEYS. That holds mistakes, a key that is put together
from an argument; a script is the application's own code. Against a script that wants out, only a
login does (`acl`).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

from partywall.adapters.caching.values import encoded
from partywall.adapters.redis.allowed import DATA
from partywall.adapters.redis.calls import Call
from partywall.errors import WallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.adapters.caching.sharing import Steps
    from partywall.adapters.caching.values import Value
    from partywall.adapters.redis.keyspace import Keyspace

WAYS_OUT = re.compile(
    r"\b(_G|_ENV|getfenv|setfenv|load|loadstring|loadfile|dofile|require|debug|dump)\b"
)
KEYLESS = ("time",)
ONE_LINE = re.compile(r"\s*\n\s*")

GUARD = """
local redis, server = (function()
  local real, granted, allowed = redis, {}, {}
  for _, key in ipairs(KEYS) do granted[key] = true end
  for name in ('@DATA'):gmatch('%S+') do allowed[name] = 'keys' end
  for name in ('@KEYLESS'):gmatch('%S+') do allowed[name] = 'none' end
  local function held(...)
    local name = tostring((...)):lower()
    if not allowed[name] then error('partywall: a script may not use ' .. name) end
    if allowed[name] == 'none' then return end
    local keys = real.pcall('COMMAND', 'GETKEYS', ...)
    if keys.err or #keys == 0 then error('partywall: no keys in ' .. name) end
    for _, key in ipairs(keys) do
      if not granted[key] then error('partywall: a key is not in KEYS, of ' .. name) end
    end
  end
  local own = {sha1hex = real.sha1hex, error_reply = real.error_reply,
    status_reply = real.status_reply}
  function own.call(...) held(...) return real.call(...) end
  function own.pcall(...) held(...) return real.pcall(...) end
  return own, own
end)()
"""
"""Put before a script, on one line; errors of the script then tell its own lines, plus none."""

PROLOGUE = ONE_LINE.sub(
    " ", GUARD.replace("@DATA", " ".join(sorted(DATA))).replace("@KEYLESS", " ".join(KEYLESS))
).strip()


class Script:
    """A script of the application; made once, at import.

    Args:
        source: Lua, which reaches keys by KEYS alone.

    Raises:
        WallError: when it names what leads round its guard.
    """

    __slots__ = ("digest", "source")

    def __init__(self, source: str) -> None:
        if way := WAYS_OUT.search(source):
            raise WallError(
                f"the script names {way[0]!r}, which leads round what holds it to its KEYS: write "
                "it without (the word may not stand in a comment either)"
            )
        shebang, body = "", source
        if source.startswith("#!"):
            shebang, _, body = source.partition("\n")
            shebang += "\n"
        self.source = f"{shebang}{PROLOGUE} {body}"
        self.digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    def __repr__(self) -> str:
        """Tell its digest, by which the server knows it."""
        return f"<Script {self.digest}>"


def running(
    space: Keyspace, script: Script, keys: Sequence[str], arguments: Sequence[Value]
) -> Steps[Any]:
    """Run a script, and send its text where the server doesn't know it."""
    if not isinstance(script, Script):
        raise WallError("only a registered script is run: make it once, Script('…')")
    rest = (len(keys), *map(space.key, keys), *map(encoded, arguments))
    try:
        return (yield Call(("EVALSHA", script.digest, *rest), as_it_is))
    except NoScriptError:
        return (yield Call(("EVAL", script.source, *rest), as_it_is))


def as_it_is(answer: Any) -> Any:
    """What the server says."""
    return answer
