"""The attacks of the further layers, wherever there is a package of one: its code and its words."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from partywall.survey.layers import FURTHER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from partywall.survey.attack import Effect


class FurtherAttack(Protocol):
    """What each layer's own kind of attack has; see `partywall.survey.pool.attempt.Attack`."""

    @property
    def code(self) -> str:
        """``PW5xx``, never reused."""

    @property
    def name(self) -> str:
        """The module's name with hyphens, unique."""

    @property
    def effect(self) -> Effect:
        """What it sets out to achieve."""

    @property
    def fix(self) -> str:
        """The sentence, or the statement, that mends a breach."""

    @property
    def doc(self) -> str:
        """Its docstring: what is tried, why it matters, and its sections."""


@cache
def further_attacks() -> Mapping[str, Sequence[FurtherAttack]]:
    """Attacks by layer, by code within one; nothing of an extra is imported."""
    found = {}
    for layer in FURTHER:
        package = f"partywall.survey.{layer}"
        if find_spec(package) is not None and find_spec(f"{package}.attacks") is not None:
            attacks: Sequence[FurtherAttack] = import_module(f"{package}.attacks").every_attack()
            found[layer] = tuple(sorted(attacks, key=lambda one: (one.code, one.name)))
    return found


@cache
def effects() -> Mapping[str, Effect]:
    """The usual effect of each of them, by name."""
    return {one.name: one.effect for many in further_attacks().values() for one in many}
