"""Words for bash, in which credentials are environment variables."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from partywall.survey.http.hiding import TELLING, disguised, parts_of, variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.wire import Request

PLAIN = re.compile(r"[\w .,:;/=()<>@%+*?&#~^|-]*", re.ASCII)
"""What means nothing to bash between double quotes, also where it is typed."""


def variables_of(actors: Iterable[Actor]) -> dict[str, str]:
    """What mustn't be seen -> what bash is told instead; the last actor's names go first."""
    found: dict[str, str] = {}
    for actor in actors:
        for name, value in variables(actor).items():
            whole, *token = parts_of(value)
            found |= dict.fromkeys(token, f"{{{name}#* }}") | {whole: name}
    return found


def headers(*layers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Headers of all layers; the later layer's value counts, however the name is written."""
    found = {name.lower(): (name, value) for layer in layers for name, value in layer.items()}
    yield from found.values()


def cookies(actor: Actor, request: Request) -> list[str]:
    """The cookies that go with a request, their names and values in turn; [] for none."""
    sent = {**actor.cookies, **dict(request.cookies)}
    told = [text for name, value in sent.items() for text in (f"; {name}=", value)]
    return [told[0].removeprefix("; "), *told[1:]] if told else []


def word(secrets: Mapping[str, str], *texts: str) -> str:
    """Texts as one word for bash, its secrets as variables."""
    pieces = [piece for text in texts for piece in _pieces(text, secrets) if any(piece)]
    if not any(name for _, name in pieces):
        return shlex.quote("".join(literal for literal, _ in pieces))
    if all(PLAIN.fullmatch(literal) for literal, _ in pieces):
        return f'"{"".join(_spoken(pieces))}"'
    return "".join(f'"{_expanded(name)}"' if name else shlex.quote(text) for text, name in pieces)


def _spoken(pieces: list[tuple[str, str]]) -> Iterator[str]:
    for (literal, name), (after, _) in zip(pieces, [*pieces[1:], ("", "")], strict=True):
        glued = bool(name) and re.match(r"\w", after) is not None
        yield (_expanded(f"{{{name}}}" if glued and name[0] != "{" else name)) if name else literal


def _expanded(name: str) -> str:
    return f"${name}"


def _pieces(text: str, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(text, "") and ("", variable) in turn."""
    if text in secrets:
        yield "", secrets[text]
        return
    found = sorted((one for one in secrets if len(one) >= TELLING), key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, found))})", text) if found else [text]
    for part in parts:
        yield ("", secrets[part]) if part in found else (disguised(part, found), "")
