"""Know a hole again in the next run, in a baseline and in other people's dashboards."""

from __future__ import annotations

import hashlib
from json import dumps
from typing import TYPE_CHECKING

from partywall.survey.verdict import Finding

if TYPE_CHECKING:
    from partywall.survey.verdict import Undecided

VERSION = 1
"""Of what a fingerprint is made from: it grows when the same hole gets another one."""

WITHOUT_CONTEXT = frozenset({"empty context", "anonymous", "nobody"})
"""What attackers are called who have no tenant of their own; of an API nobody has one."""


def fingerprint(one: Finding | Undecided) -> str:
    """The same 64 hexadecimal digits for the same hole, in whichever run it is found.

    A hole is what is achieved (effect), how (code) and where (surface). Who attacks whom is no
    part of it: the wall that acme gets through from one side globex gets through from the other.
    Neither are names of attacks, witnesses, sentences and mends: ids, canaries and wording differ
    between runs and releases. But a hole that takes no tenant to get through is another than one
    that does, so that an accepted one can't grow wider unseen. What is undecided is told from what
    is breached.
    """
    kind, context = "undecided", ""
    if isinstance(one, Finding):
        kind = "breached"
        strange = one.layer != "http" and one.attacker in WITHOUT_CONTEXT
        context = one.attacker if strange else ""
    parts = [VERSION, kind, one.code, one.effect, one.at, context]
    return hashlib.sha256(dumps(parts).encode()).hexdigest()
