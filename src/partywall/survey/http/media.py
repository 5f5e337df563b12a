"""What travels in bodies, as a description says it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from partywall.survey.http.operations import Payload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.http.following import Document
    from partywall.survey.http.operations import Schema


def payloads(of: Document, told: object, where: str) -> Iterator[Payload]:
    """The forms of a request's body: JSON first, then multipart, then urlencoded, then others."""
    body = of.table(told, where)
    content = of.table(body.get("content"), f"{where}.content")
    for media in sorted(content, key=_preference):
        form = of.table(content[media], f"{where}.content.{media}")
        schema = schema_of(form)
        yield Payload(
            _plain(media),
            schema,
            required=body.get("required") is True,
            example=example(of, form, schema, where),
        )


def answer(of: Document, told: object, where: str) -> Schema:
    """The schema of the lowest success that answers with JSON."""
    responses = of.table(told, where)
    good = sorted((code for code in responses if re.fullmatch("2..", str(code))), key=str)
    for code in good or [code for code in responses if code == "default"]:
        answer = of.table(responses[code], f"{where}.{code}")
        content = of.table(answer.get("content"), f"{where}.{code}.content")
        for media in content:
            if _plain(media).endswith("json"):
                return schema_of(of.table(content[media], f"{where}.{code}.{media}"))
    return {}


def example(of: Document, told: Mapping[str, Any], schema: Schema, where: str) -> Any:  # noqa: ANN401 - any JSON
    """The first value that is given as an example, beside the schema or in it; None for none."""
    if told.get("example") is not None:
        return told["example"]
    examples = told.get("examples")
    several = examples.values() if isinstance(examples, dict) else ()
    for each in several:
        one = of.table(each, f"{where}.examples") if isinstance(each, dict) else {}
        if "value" in one:
            return one["value"]
    plain = of.followed(schema)
    if isinstance(plain, dict):
        if plain.get("example") is not None:
            return plain["example"]
        if isinstance(listed := plain.get("examples"), list) and listed:
            return listed[0]
    return None


def schema_of(told: Mapping[str, Any]) -> Schema:
    """Its schema as it stands there; {} for none."""
    schema = told.get("schema")
    return schema if isinstance(schema, dict) else {}


def _plain(media: str) -> str:
    """A media type without its parameters; what takes anything is given JSON."""
    plain = media.partition(";")[0].strip().lower()
    return "application/json" if plain in {"*/*", "application/*", ""} else plain


def _preference(media: str) -> int:
    plain = _plain(media)
    forms = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
    if plain in forms:
        return (0, 2, 3)[forms.index(plain)]
    return 1 if plain.endswith("json") else 4
