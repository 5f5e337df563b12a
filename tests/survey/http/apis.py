"""APIs of a few operations, and what is known of them, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.attempt import Sight
from partywall.survey.http.description import read
from partywall.survey.http.graph import Graph
from partywall.survey.http.ledger import Ledger
from tests.probe.corpus.describing import Told, described

if TYPE_CHECKING:
    from partywall.survey.http.operations import Api, Operation

NOTHING = Told()


def api(*plain: str, **told: Told) -> Api:
    """An API of operations, ``METHOD /path``; *told* are such as say more than that."""
    return read(described("Notes", {**dict.fromkeys(plain, NOTHING), **told}))


def operation(known: Api, at: str) -> Operation:
    return next(one for one in known.operations if one.at == at)


def graph(*plain: str, **told: Told) -> Graph:
    return Graph(api(*plain, **told))


def sight(known: Api, at: str, **more: Any) -> Sight:  # noqa: ANN401 - fields of Sight
    """What a planner sees of one operation, as acme attacks globex."""
    return Sight(known, Graph(known), operation(known, at), "acme", "globex", **more)


def ledger() -> Ledger:
    return Ledger(7, ["acme", "globex"])
