"""Names and what they stand for: the relations of a query level, and what ties them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from partywall.runtime.scoping.requirement import Untied


@dataclass(eq=False, slots=True)
class Reference:
    """One mention of a tenants' table: its rows must be shown to be the tenant's.

    Attributes:
        said: how the statement names it, for people.
        tie: the condition that would tie it.
        claims: what it is known to be equal to; one that holds is enough.
    """

    said: str
    tie: str
    claims: list[Claim] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Claim:
    """Under which conditions a value is the tenant: all of them."""

    references: frozenset[Reference] = frozenset()
    parameters: frozenset[int] = frozenset()
    literals: frozenset[str] = frozenset()

    def __or__(self, other: Claim) -> Claim:
        """The claim of a value that comes from either."""
        return Claim(
            self.references | other.references,
            self.parameters | other.parameters,
            self.literals | other.literals,
        )


@dataclass(eq=False, slots=True)
class Relation:
    """What stands in a FROM clause, or is the target of a write.

    Attributes:
        name: under which its columns are found.
        schema: where the table was named with one, and has no alias.
        columns: those known to hold the tenant, if the claim holds.
        reference: for a tenants' table.
    """

    name: str
    columns: Mapping[str, Claim] = field(default_factory=dict)
    reference: Reference | None = None
    schema: str = ""


@dataclass(slots=True)
class Scope:
    """The relations that one query level can name, and the level around it.

    Attributes:
        parent: the level around it.
        relations: its relations, from left to right.
        visible: in an ON condition, those of its join; None where all are.
    """

    parent: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    visible: frozenset[Relation] | None = None

    def add(self, relation: Relation) -> Relation:
        """Bring in a relation.

        Raises:
            Untied: when its name is taken, also where only the case is another: SQLite folds it.
        """
        if relation.name and self._like(relation.name) is not None:
            raise Untied(
                f"two relations are called {relation.name} here: give one of them another alias"
            )
        self.relations.append(relation)
        return relation

    def column(self, fields: tuple[str, ...]) -> Found | None:
        """What a name with its qualifiers stands for, if that is a relation in sight.

        Raises:
            Untied: when databases could disagree about it.
        """
        *qualifiers, name = fields
        if not qualifiers:
            relation = self._only()
        elif len(qualifiers) == 1:
            relation = self._find(qualifiers[0])
        else:
            relation = self._find(qualifiers[-1])
            if relation is not None and relation.schema != ".".join(qualifiers[:-1]):
                return None
        return None if relation is None else Found(relation, relation.columns.get(name))

    def _only(self) -> Relation | None:
        """The relation that an unqualified name must belong to: the only one in sight."""
        level: Scope | None = self
        found: list[Relation] = []
        while level is not None:
            found += level.relations
            level = level.parent
        return found[0] if len(found) == 1 else None

    def _like(self, name: str) -> Relation | None:
        folded = name.casefold()
        return next((r for r in self.relations if r.name.casefold() == folded), None)

    def _find(self, name: str) -> Relation | None:
        relation = self._like(name)
        if relation is None:
            return None if self.parent is None else self.parent._find(name)  # noqa: SLF001 - its own
        hidden = self.visible is not None and relation not in self.visible
        if relation.name != name or hidden:
            raise Untied(f"{name} does not clearly name one relation here: give each its own alias")
        return relation


@dataclass(frozen=True, slots=True)
class Found:
    """A column: of which relation, and what is claimed of it."""

    relation: Relation
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Output:
    """The columns that a query gives.

    Attributes:
        names: by position, "" where none was given; None where a star stands for unknown ones.
        claims: by position.
        known: by name, where a name belongs to one column alone.
    """

    names: tuple[str, ...] | None = ()
    claims: tuple[Claim | None, ...] = ()
    known: Mapping[str, Claim] = field(default_factory=dict)

    def renamed(self, names: tuple[str, ...]) -> Mapping[str, Claim]:
        """The columns by name, under other names if there are any.

        Raises:
            Untied: when nobody can say which column a new name would be.
        """
        if not names:
            return self.known
        if self.names is None or len(names) != len(self.claims):
            raise Untied("columns are renamed that are not all named: name each of them")
        return by_name(names, self.claims)


def by_name(names: tuple[str, ...], claims: tuple[Claim | None, ...]) -> dict[str, Claim]:
    """The claims of columns whose names are given once, whatever the case."""
    folded = [name.casefold() for name in names]
    return {
        name: claim
        for name, claim in zip(names, claims, strict=True)
        if name and claim is not None and folded.count(name.casefold()) == 1
    }


def tied(references: list[Reference]) -> set[Reference]:
    """Those that follow from the statement's parameters and constants, and from each other."""
    found: set[Reference] = set()
    while more := {
        r for r in references if r not in found and any(c.references <= found for c in r.claims)
    }:
        found |= more
    return found
