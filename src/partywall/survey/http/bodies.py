"""Bodies that the server accepts, from the schema, from its own complaints, and with canaries.

The variants are tried in this order: `full` has every free text and every reference there is,
`shown` is like what its owner is shown of one, `single` has what is required and one free text,
`least` only what is required, `examples` what the description gives, `generated` what schemathesis
makes of the schema.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from partywall.survey.http.drafting import OMITTED, Draft, Path, Variant
from partywall.survey.http.generating import generated
from partywall.survey.http.schemas import fields
from partywall.survey.http.values import Values
from partywall.survey.http.wire import Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from partywall.survey.http.ledger import Ledger
    from partywall.survey.http.operations import Operation, Payload

VARIANTS: tuple[Variant, ...] = get_args(Variant)
REFUSED = "x-none"
"""The media of a body that can't be made in this variant."""
MULTIPART = "multipart/form-data"
FORMS = (MULTIPART, "application/x-www-form-urlencoded")
JSON = "application/json"
UNMADE = object()


@dataclass(frozen=True)
class Body:
    """A body to send, and the canaries that were made for it."""

    media: str = ""
    value: Any = None
    canaries: tuple[str, ...] = ()


@dataclass
class Composer:
    """Makes bodies, and remembers for each operation what the server wants.

    Attributes:
        learned: operation -> field -> what its schema has to be, from complaints.
        variants: operation -> the variant that was accepted.
        assumed: operations that seem to want a JSON body, though nothing says so.
        reserved: operation -> fields that hold ids, and are never free text.
        changing: operations that make nothing: what they set is to differ from what is there.
        shown: what an owner is shown of the like of what an operation takes; None for nothing.
        ids: an owner's ids, the newest first.
        silent: whether nothing is said of who may see.
        offers: (owner, field) -> what lists show of what the field is named after.
        filed: operation -> the schema of the JSON that its file is to hold.
    """

    document: Mapping[str, Any]
    ledger: Ledger
    learned: dict[str, dict[Path, dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    variants: dict[str, Variant] = field(default_factory=dict)
    assumed: set[str] = field(default_factory=set)
    reserved: dict[str, set[Path]] = field(default_factory=dict)
    changing: set[str] = field(default_factory=set)
    shown: Callable[[Operation, str], Any] = field(default=lambda _one, _owner: None)
    ids: Callable[[str], list[Any]] = field(default=lambda _owner: [])
    silent: bool = False
    offers: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    filed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def compose(
        self,
        operation: Operation,
        owner: str,
        references: Mapping[Path, Any],
        variant: Variant | None = None,
    ) -> Body:
        """A body of *operation* for *owner*; *references* are the ids to put into its fields.

        A reference that is given is sent, also where the field is optional. Without *variant* it
        is the one that was accepted before.
        """
        payload = self._payload(operation)
        if payload is None and operation.at not in self.assumed and not references:
            return Body()
        values = Values(self.ledger, owner)
        if operation.at in self.filed:
            values.filed = Draft(self.document, values, {}, {}, "full").written(
                self.filed[operation.at]
            )
        draft = Draft(
            self.document,
            values,
            references,
            self.learned[operation.at],
            variant or self.variants.get(operation.at, "full"),
            frozenset(self.reserved.get(operation.at, ())),
            self.ids(owner),
            {name: found for (who, name), found in self.offers.items() if who == owner},
            silent=self.silent,
            changing=operation.at in self.changing,
        )
        value = self._value(draft, operation, owner, payload)
        if value is UNMADE:
            return Body(REFUSED)
        if value is OMITTED:
            return Body()
        media = payload.media if payload else JSON
        value = _shaped(value, media, draft.values)
        return Body(media, value, tuple(draft.values.planted))

    def _payload(self, operation: Operation) -> Payload | None:
        """The form of the body to send: the one that can carry files, where there are any."""
        for payload in operation.payloads:
            if payload.media == MULTIPART and self._files(payload):
                return payload
        return operation.payloads[0] if operation.payloads else None

    def _files(self, payload: Payload) -> bool:
        leaves = [leaf for _, leaf, _ in fields(payload.schema, self.document)]
        return any(leaf.get("format") == "binary" or "contentMediaType" in leaf for leaf in leaves)

    def _value(
        self, draft: Draft, operation: Operation, owner: str, payload: Payload | None
    ) -> Any:  # noqa: ANN401 - any JSON
        """The value of one variant; `UNMADE` where there is nothing to make it of."""
        if draft.variant == "generated":
            made = generated(operation, self.document)
            return UNMADE if made is None else draft.rewritten(draft.planted(made))
        if draft.variant == "shown":
            like = self.shown(operation, owner)
            if not isinstance(like, dict) or not like:
                return UNMADE
            return draft.rewritten(draft.planted(like))
        if draft.variant == "examples" and payload is not None and payload.example is not None:
            return draft.rewritten(payload.example)
        return draft.written(payload.schema if payload else {"type": "object"})


def _shaped(value: Any, media: str, values: Values) -> Any:  # noqa: ANN401 - any JSON
    """What a media type can carry: fields for a form, a text or a file where it is no JSON."""
    if media in FORMS:
        if isinstance(value, dict):
            return value
        return {"file": value} if isinstance(value, Upload) else {}
    if media.endswith("json") or isinstance(value, Upload | str):
        return value
    return f"{values.canary()}\n" if media.startswith("text/") else values.canary()
