"""In which order operations are attacked: what may spoil the rest comes last, or not at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey.http.aim import removes
from partywall.survey.http.nouns import PRINCIPALS, snake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.graph import Graph
    from partywall.survey.http.operations import Operation

ENDING = frozenset(
    {
        "logout", "log_out", "signout", "sign_out", "login", "log_in", "signin", "sign_in",
        "signup", "sign_up", "register", "password", "change_password", "reset_password",
        "forgot_password", "reset", "shutdown", "restart", "wipe", "purge", "flush", "truncate",
        "factory_reset", "revoke", "deactivate", "prune", "drop", "kill", "stop_server", "quit",
        "mfa", "2fa", "totp", "verify_email", "impersonate",
    }
)  # fmt: skip
"""Words of what ends sessions, changes credentials, or takes more with it than one thing."""
ENTERING = frozenset({"login", "register", "signup", "sign_up", "signin"})
"""Those of them that do nothing when they are only read."""
STORE = re.compile(
    r"(?:create|reset|init|seed|populate|drop|wipe|clear|flush|migrate)_?(?:db|database|store)"
)


def dangerous(operation: Operation) -> bool:
    """Whether its name says that it ends sessions, changes credentials, or wipes a store."""
    named = {snake(word) for word in operation.words}
    if operation.names:
        return False  # with an id it is tried on what was made to be spoilt
    if any(STORE.search(word) for word in named):
        return True
    if operation.safe:
        return bool(named & (ENDING - ENTERING))
    itself = removes(operation) and bool(named & PRINCIPALS)
    return itself or bool(named & ENDING)


def in_order(operations: Sequence[Operation]) -> list[Operation]:
    """Creations, changes, other actions, removals."""

    def rank(one: Operation) -> tuple[int, int]:
        if removes(one):
            return 3, -len(one.names)
        if one.method == "POST":
            return (0 if not one.names else 1), len(one.names)
        return 2, len(one.names)

    return sorted(operations, key=rank)


def principal_last(
    operations: Sequence[Operation], graph: Graph
) -> tuple[list[Operation], list[Operation]]:
    """Those that name no one who acts, and those that do: they may let one tenant in at another."""

    def lets_in(one: Operation) -> bool:
        kinds = [slot.kind for slot in graph.slots[one.at] if slot.place == "body"]
        return any(snake(kind) in PRINCIPALS for kind in kinds)

    early = [one for one in operations if not lets_in(one)]
    return early, [one for one in operations if lets_in(one)]
