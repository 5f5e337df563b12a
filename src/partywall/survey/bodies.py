"""What function bodies and view definitions can reach, by the names that occur in them.

An over-approximation on purpose: a word that is a table's name counts, wherever it stands, so
that SQL built at run time and languages that nobody parses are covered too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.catalog.facts import Function, Relation, Snapshot

WORD = re.compile(r"[^\W\d][\w$]*")
WRITES = re.compile(
    r"\b(insert\s+into|update|delete\s+from|merge\s+into|truncate|nextval|setval|lo_\w+)\b",
    re.IGNORECASE,
)
DYNAMIC = re.compile(r"\bexecute\b", re.IGNORECASE)
HARMFUL = re.compile(
    r"\bcopy\b[^;]*\bprogram\b|\balter\s+system\b|\bdrop\s+(database|role|user)\b"
    r"|\b(pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile|pg_promote"
    r"|pg_switch_wal|pg_sleep\w*|dblink\w*|http\w*|lo_export|pg_file_\w+|pg_drop_replication_slot)"
    r"\s*\(|\bnet\s*\.\s*http",
    re.IGNORECASE,
)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
T = TypeVar("T")
INTERPRETED = {"sql", "plpgsql"}


@dataclass(frozen=True, slots=True)
class Reach:
    """What a piece of code can reach, through the functions and views that it names.

    Attributes:
        direct: relations that its own text names.
        relations: relations that any of the code names.
        code: the text of all of it, comments taken out, in lower case.
        opaque: whether some of it is in a language that can't be read here.
    """

    direct: tuple[Relation, ...]
    relations: tuple[Relation, ...]
    code: str
    opaque: bool

    @property
    def dynamic(self) -> bool:
        """Whether it builds statements at run time."""
        return bool(DYNAMIC.search(self.code))

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.opaque or self.dynamic or bool(WRITES.search(self.code))

    @property
    def harmful(self) -> bool:
        """Whether running it may do what no rollback undoes."""
        return bool(HARMFUL.search(self.code))


@lru_cache(maxsize=8192)
def words(text: str) -> frozenset[str]:
    """Every word of *text*, as written and in lower case."""
    bare = COMMENT.sub(" ", text)
    return frozenset(form for word in WORD.findall(bare) for form in (word, word.lower()))


def of_function(snapshot: Snapshot, function: Function) -> Reach:
    """What *function* can reach."""
    return _reach(snapshot, function.source, function)


def of_text(snapshot: Snapshot, text: str) -> Reach:
    """What a view's definition or a policy's expression can reach."""
    return _reach(snapshot, text, None)


def _reach(snapshot: Snapshot, text: str, start: Function | None) -> Reach:
    texts, seen = [text], {text}
    opaque = start is not None and start.language not in INTERPRETED
    found: dict[int, Relation] = {}
    direct: dict[int, Relation] = {}
    while texts:
        current = texts.pop()
        named = words(current)
        for relation in _named(snapshot.relations_by_name, named):
            (direct if current is text else found)[relation.oid] = relation
            if relation.definition and relation.definition not in seen:
                seen.add(relation.definition)
                texts.append(relation.definition)
        for function in _named(snapshot.functions_by_name, named):
            opaque = opaque or function.language not in INTERPRETED
            if function.source not in seen:
                seen.add(function.source)
                texts.append(function.source)
    code = "\n".join(COMMENT.sub(" ", one) for one in sorted(seen)).lower()
    return Reach(tuple(direct.values()), tuple({**direct, **found}.values()), code, opaque)


def _named(known: Mapping[str, tuple[T, ...]], named: frozenset[str]) -> Iterator[T]:
    """What *named* words mean, in the order of their names."""
    for name in sorted(known.keys() & named):
        yield from known[name]
