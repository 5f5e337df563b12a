"""Other ways to write the name of another tenant's channel: patterns, separators, detours.

What checks a name compares it as a whole; what subscribes by it may take it for a pattern, a list
or a path. The control of each is its owner, who opens its channel by the very same text: where not
even the owner hears anything by it, it means nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.channels import bent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.survey.http.aim import Aim
    from partywall.survey.http.graph import Slot

Spelled = tuple[str, dict["Slot", Any]]

KEPT = 3
"""So much of an id is left out before a wildcard."""

# In words; and the text, made of the attacker's own id and of the victim's.
SPELLINGS: tuple[tuple[str, Callable[[str, str], str]], ...] = (
    ("any (*)", lambda _, __: "*"),
    ("the victim's but for its end, and *", lambda _, theirs: f"{theirs[:-KEPT]}*"),
    ("the victim's with ? for a character", lambda _, theirs: f"{theirs[:-1]}?"),
    ("one's own and the victim's, as a list", lambda mine, theirs: f"{mine},{theirs}"),
    ("the victim's, through one's own", lambda mine, theirs: f"{mine}/../{theirs}"),
    ("the victim's with a separator after it", lambda _, theirs: f"{theirs}:"),
    ("the victim's in the other case", lambda _, theirs: theirs.swapcase()),
)


def spelled(aimed: Aim) -> Iterator[Spelled]:
    """Each other way to name the victim's channel, in words, and the ids to open it with."""
    plain = [bound for _, bound in bent(aimed)]
    slots = [slot for slot in aimed.theirs if any(slot in bound for bound in plain)]
    if not slots:
        return
    last = slots[-1]
    whole = next(bound for bound in reversed(plain) if last in bound)
    mine, theirs = str(aimed.mine.get(last, "x")), str(aimed.theirs[last])
    for words, spelling in SPELLINGS:
        text = spelling(mine, theirs)
        if text != theirs:
            yield f"{last.name}: {words}", {**whole, last: text}
