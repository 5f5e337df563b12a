"""Which operation makes, shows, lists and removes what another one takes the id of.

Kinds are read from the description: a path parameter names what it is the id of, by itself or by
the segment before it. What follows is a ranking, best guess first: the world tries them, and what
really comes back decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from partywall.survey.http.kinds import Kind, Paths, collected, collection, kind_of
from partywall.survey.http.nouns import noun, snake
from partywall.survey.http.ranking import rank
from partywall.survey.http.slots import Slot, Slots
from partywall.survey.http.verbs import MAKING, REMOVING, last_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from partywall.survey.http.operations import Api, Operation

__all__ = ["MAKING", "REMOVING", "Graph", "Kind", "Slot", "kind_of", "last_word"]


class Graph:
    """The kinds of an API, and the slots of each operation.

    Attributes:
        kinds: name -> kind.
        slots: operation -> the places in its requests where ids go.
    """

    def __init__(self, api: Api, own: Mapping[str, Any] | None = None) -> None:
        self.api = api
        self.kinds: dict[str, Kind] = {}
        self._owned = {snake(name): noun(name) or snake(name) for name in own or {}}
        paths = Paths(api)
        for operation in api.operations:
            for one in paths.ids(operation):
                known = self._known(one.kind)
                known.places.add(one.place)
                known.parameters.add(one.parameter)
        for operation in api.operations:
            if name := collected(operation):
                self._known(name).places.add(collection(operation))
        for operation in api.operations:
            for name, field in paths.leads(operation):
                self._known(name).parameters.add(field)
        for name in self._owned.values():
            self._known(name)
        for kind in self.kinds.values():
            rank(kind, api.operations, paths)
        self._slots = Slots(api, paths, self.kinds, self._owned)
        self.slots = {one.at: tuple(self._slots.of(one)) for one in api.operations}

    def own_kind(self, parameter: str) -> str:
        """The kind of a value that a tenant declared as its own."""
        return self._owned[snake(parameter)]

    def refers(
        self,
        name: str,
        schema: Mapping[str, Any],
        operation: Operation | None = None,
        above: Sequence[str] = (),
    ) -> str:
        """The kind that a field refers to by its name, as `Slots.refers` says."""
        return self._slots.refers(name, schema, operation, above)

    def needs(self, operation: Operation, slots: Iterable[Slot]) -> None:
        """Note that an operation fails without *slots*, whatever its description says."""
        required = {slot: replace(slot, required=True) for slot in slots}
        self.slots[operation.at] = tuple(
            required.get(slot, slot) for slot in self.slots[operation.at]
        )

    def _known(self, name: str) -> Kind:
        return self.kinds.setdefault(name, Kind(name))
