"""One body as it is written: from the schema, or from a body that is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from partywall.survey.http.naming import free, visible
from partywall.survey.http.nouns import snake
from partywall.survey.http.schemas import DEEPEST, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.values import Values

Path: TypeAlias = "tuple[str, ...]"
Variant: TypeAlias = Literal["full", "shown", "single", "least", "examples", "generated"]
OMITTED = object()
"""In the place of a value: the field is not sent."""
UNSAID = object()
SHORTEST = 3
"""A shorter text in an example is more likely a code than words."""
OF_SERVER = frozenset(
    {"id", "uuid", "pk", "created_at", "updated_at", "created", "updated", "modified", "url"}
)
CHOICES = frozenset({"true", "false", "none", "null"})


@dataclass(frozen=True)
class Draft:
    """How one body is to be written.

    Attributes:
        references: field -> the id that goes there; None leaves it out, or to chance.
        learned: field -> what its schema has to be, as the server said.
        variant: how much of what is optional is sent.
        reserved: fields that hold ids, and are never free text.
        ids: the owner's ids, which a field is given that refers to nobody knows what.
        offers: field -> what is tried there before them.
        silent: whether nothing is said of who may see.
        changing: whether it is to differ from what is there.
    """

    document: Mapping[str, Any]
    values: Values
    references: Mapping[Path, Any]
    learned: Mapping[Path, dict[str, Any]]
    variant: Variant
    reserved: frozenset[Path] = frozenset()
    ids: list[Any] = field(default_factory=list)
    offers: Mapping[str, list[Any]] = field(default_factory=dict)
    silent: bool = False
    changing: bool = False

    def written(self, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
        """The body of a schema; `OMITTED` for none."""
        return self._node("", schema, (), needed=True)

    def rewritten(self, given: Any) -> Any:  # noqa: ANN401 - any JSON
        """A given body, with the references and the corrections put into it."""
        for path, id_ in self.references.items():
            if id_ is not None:
                given = put(given, path, id_)
        if not isinstance(given, dict):
            return given
        found = dict(given)
        for path, fix in self.learned.items():
            if len(path) > 1 or self.references.get(path) is not None:
                continue
            (name,) = path
            if fix or name not in found:
                found[name] = self._node(name, {"type": "string"}, path, needed=True)
            if found.get(name) is OMITTED:
                del found[name]
        return found

    def planted(self, given: Any, name: str = "") -> Any:  # noqa: ANN401 - any JSON
        """A given body with a canary for each free text; what the server sets is left out."""
        if isinstance(given, dict):
            return {
                key: self.planted(inner, key)
                for key, inner in given.items()
                if snake(key) not in OF_SERVER
            }
        if isinstance(given, list):
            return [self.planted(inner, name) for inner in given]
        if isinstance(given, str) and free(name, {"type": "string"}) and given not in CHOICES:
            return self.values.canary() if len(given) >= SHORTEST else given
        return given

    def _node(self, name: str, schema: Mapping[str, Any], path: Path, *, needed: bool) -> Any:  # noqa: ANN401 - any JSON
        """The value for one schema; `OMITTED` for none."""
        plain = resolve(schema, self.document)
        said = self._said(name, plain, path, needed=needed)
        if said is not UNSAID:
            return said
        fix = self.learned.get(path)
        if fix and plain.get("type") == "array" and "enum" in fix:
            plain = {**plain, "items": {"type": "string", **fix}}
        elif fix:
            plain = {key: value for key, value in plain.items() if key != "default"} | fix
        if plain.get("readOnly") or len(path) > DEEPEST:
            return OMITTED
        if not needed and fix is None and not self._worth(name, plain, path):
            return OMITTED
        return self._made(name, plain, path, needed=needed)

    def _said(self, name: str, plain: Mapping[str, Any], path: Path, *, needed: bool) -> Any:  # noqa: ANN401 - any JSON
        """What is to be sent whatever the schema says; `UNSAID` for nothing."""
        fix = self.learned.get(path, {})
        if fix.get("x-drop"):
            return OMITTED
        own = fix.get("x-own")
        given = self.references.get(path)
        another = given is not None and str(given) not in {str(id_) for id_ in self.ids}
        tried = [*self.offers.get(path[-1] if path else "", ()), *self.ids]
        if own is not None and own < len(tried) and not another:
            return [tried[own]] if plain.get("type") == "array" else tried[own]
        if path not in self.references:
            return UNSAID
        if (id_ := self.references[path]) is None and needed:
            return self.values.value(name, plain)
        return id_

    def _made(self, name: str, plain: Mapping[str, Any], path: Path, *, needed: bool) -> Any:  # noqa: ANN401 - any JSON
        """What the schema says."""
        shows = visible(name, plain)
        if self.changing and len(plain.get("enum", ())) > 1 and not shows:
            return plain["enum"][-1]
        if self.variant == "examples" and (example := _example(plain)) is not None:
            return example
        if plain.get("type") == "array":
            return self._list(name, plain, path, needed=needed)
        if self._nested(plain, path):
            return self._object(plain, path)
        default = plain.get("default")
        if default is not None and not shows and not free(name, plain):
            return default
        return self.values.value(name, plain)

    def _nested(self, plain: Mapping[str, Any], path: Path) -> bool:
        """Whether it is an object of which fields are known, or a body of which nothing is."""
        if plain.get("type") == "object":
            return bool(plain.get("properties") or self._below(path))
        return not path and "type" not in plain

    def _object(self, plain: Mapping[str, Any], path: Path) -> dict[str, Any]:
        required = plain.get("required", ())
        properties = plain.get("properties", {})
        made = {
            name: self._node(name, inner, (*path, name), needed=name in required)
            for name, inner in properties.items()
        }
        for name in self._below(path):
            if name not in properties:
                inside = (*path, name)
                made[name] = self._node(name, self._unsaid(inside), inside, needed=True)
        return {name: value for name, value in made.items() if value is not OMITTED}

    def _below(self, path: Path) -> list[str]:
        """Fields right below *path* that the schema may lack: complained about, or referred to."""
        asked = [*self.learned, *self.references]
        depth = len(path)
        names = [each[depth] for each in asked if len(each) > depth and each[:depth] == path]
        return [name for name in dict.fromkeys(names) if name != "*"]

    def _unsaid(self, path: Path) -> dict[str, Any]:
        """The schema of a field that has none, by what is referred to below it."""
        if (*path, "*") in self.references:
            return {"type": "array", "items": {"type": "string"}}
        return {"type": "object" if self._below(path) else "string"}

    def _list(self, name: str, plain: Mapping[str, Any], path: Path, *, needed: bool) -> Any:  # noqa: ANN401 - a list
        inside = (*path, "*")
        if inside in self.references:
            id_ = self.references[inside]
            return id_ if isinstance(id_, list) else [id_] if id_ is not None else []
        fewest = int(plain.get("minItems", 0))
        if not needed and not fewest and not self._refers(inside):
            return OMITTED
        items = plain.get("items", {"type": "string"})
        made = [self._node(name, items, inside, needed=True) for _ in range(max(1, fewest))]
        return [value for value in made if value is not OMITTED]

    def _worth(self, name: str, plain: Mapping[str, Any], path: Path) -> bool:
        """Whether an optional field is sent: it can carry a canary, or says who may see."""
        if self._refers(path):
            return self.references.get(path, UNSAID) is not None
        if path in self.reserved:
            return False
        if visible(name, plain):
            return not self.silent
        wanted = self.variant == "full" or (self.variant == "single" and not self.values.planted)
        return wanted and free(name, plain)

    def _refers(self, path: Path) -> bool:
        """Whether an id goes there, or somewhere below."""
        return any(each[: len(path)] == path for each in self.references)


def put(given: Any, path: Path, id_: Any) -> Any:  # noqa: ANN401 - any JSON
    """A body with an id at *path*; what lacks on the way is made, each item of a list gets it."""
    if not path:
        return id_
    name, *rest = path
    below = tuple(rest)
    if name != "*":
        above = given if isinstance(given, dict) else {}
        return {**above, name: put(above.get(name), below, id_)}
    if not below:
        return id_ if isinstance(id_, list) else [id_]
    items = given if isinstance(given, list) and given else [{}]
    return [put(each, below, id_) for each in items]


def _example(plain: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    if "example" in plain:
        return plain["example"]
    examples = plain.get("examples")
    return examples[0] if isinstance(examples, list) and examples else None
