"""Answers short enough to read, with what they prove and without secrets."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from partywall.survey.http.hiding import CONTROL, hidden

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall.survey.http.wire import Answer

SHOWN = 400
"""So many characters of a body are shown."""


def returned(answer: Answer, secrets: Iterable[str] = (), about: str = "") -> str:
    """Status line and body of an answer, shortened, without secrets.

    Args:
        answer: what came back.
        secrets: what mustn't be seen; other tokens and passwords are hidden too.
        about: what proves the breach: the body is shortened around it.
    """
    if not answer.status:
        return f"no answer: {answer.error}" if answer.error else "no answer"
    secrets = tuple(secrets)
    media = answer.headers.get("content-type", "").partition(";")[0]
    lines = [" ".join(filter(None, [str(answer.status), _phrase(answer.status), media]))]
    for name, value in answer.headers.items():
        if name == "location" or (about and about in value):
            lines.append(f"{name}: {hidden(value, secrets, about)}")
    if body := _body(answer, media):
        lines.append(_shortened(hidden(body, secrets, about), about))
    return CONTROL.sub("·", "\n".join(lines))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _body(answer: Answer, media: str) -> str:
    if answer.json is not None:
        return json.dumps(answer.json, ensure_ascii=False)
    try:
        text = answer.content.decode()
    except UnicodeDecodeError:
        return f"({len(answer.content):,} bytes of {media or 'something'})"
    return " ".join(text.split())


def _shortened(text: str, about: str) -> str:
    if len(text) <= SHOWN:
        return text
    found = text.find(about) if about else 0
    begin = max(0, min(found - SHOWN // 2, len(text) - SHOWN))
    end = begin + SHOWN
    return f"{'…' if begin else ''}{text[begin:end]}{'…' if end < len(text) else ''}"
