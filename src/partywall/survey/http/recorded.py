"""Bodies as they were recorded: JSON, forms, multipart."""

from __future__ import annotations

import json
from collections import defaultdict
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from partywall.survey.http.credentials import secret
from partywall.survey.http.inference import inferred, inferred_from_texts
from partywall.survey.http.operations import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
BINARY = {"type": "string", "format": "binary"}


def payloads(posted: Iterable[dict[str, Any]]) -> Iterator[Payload]:
    """One for each media type among recorded bodies, with a schema that all of them are valid by.

    Its example is the last one, without files and without what is secret by its name.
    """
    by_media: dict[str, list[dict[str, Any]]] = defaultdict(list)
    total = 0
    for one in posted:
        total += 1
        if media := str(one.get("mimeType") or "").partition(";")[0].strip().lower():
            by_media[media].append(one)
    for media, several in by_media.items():
        required = len(several) == total
        if media in {FORM, MULTIPART}:
            forms = [_form(one, media) for one in several]
            yield Payload(media, _schema(forms), required, _shown(forms[-1]))
            continue
        texts = [str(one.get("text") or "") for one in several]
        if not media.endswith("json"):
            yield Payload(media, {"type": "string"}, required, texts[-1])
        elif values := [value for text in texts if (value := _parsed(text)) is not None]:
            yield Payload(media, inferred(values), required, public(values[-1]))


def public(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """*value* without the fields that are secret by their names."""
    if isinstance(value, dict):
        return {name: public(inner) for name, inner in value.items() if not secret(name)}
    return [public(item) for item in value] if isinstance(value, list) else value


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except ValueError:
        return None


def _form(one: dict[str, Any], media: str) -> list[tuple[str, str | None]]:
    """Fields and their texts; None for a file."""
    if params := one.get("params"):
        return [
            (str(p["name"]), None if p.get("fileName") else str(p.get("value") or ""))
            for p in params
        ]
    text = str(one.get("text") or "")
    if media == FORM:
        return list(parse_qsl(text, keep_blank_values=True))
    head = f"Content-Type: {one.get('mimeType')}\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes((head + text).encode("utf-8", "replace"))
    found: list[tuple[str, str | None]] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            content = part.get_payload(decode=True)
            text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
            found.append((name, None if part.get_filename() is not None else text))
    return found


def _schema(forms: list[list[tuple[str, str | None]]]) -> dict[str, Any]:
    names = dict.fromkeys(name for form in forms for name, _ in form)
    properties: dict[str, Any] = {}
    for name in names:
        values = [value for form in forms for n, value in form if n == name]
        texts = [value for value in values if value is not None]
        one = inferred_from_texts(texts) if len(texts) == len(values) else BINARY
        many = any(sum(n == name for n, _ in form) > 1 for form in forms)
        properties[name] = {"type": "array", "items": one} if many else one
    required = [name for name in names if all(name in dict(form) for form in forms)]
    return {"type": "object", "properties": properties, "required": required}


def _shown(form: list[tuple[str, str | None]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in form:
        if value is not None and not secret(name):
            before = found.get(name)
            kept = before if isinstance(before, list) else [before]
            found[name] = value if before is None else [*kept, value]
    return found
