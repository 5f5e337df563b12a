"""PW604: what another tenant keeps is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.cache import keyed
from partywall.survey.trying import attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.cache.calls import Call
    from partywall.survey.cache.scene import Filling, Scene
    from partywall.survey.trying import Attempt


@attack(
    "PW604",
    effect="destroy",
    fix="let a login write only its own keys: `ACL SETUSER acme resetkeys ~acme:*`",
)
def removed_values(scene: Scene) -> Iterator[Attempt[Call]]:
    """Remove another tenant's keys, or parts of them, by every command that takes something away.

    Popping from a list is reading it as well: what came back is told with what is gone.

    Affected:
        Whoever lets tenants' code reach a Redis with a login that all of them share, or with
        patterns of keys that reach further than the tenant's own.

    Breaches:
        ACL SETUSER acme %W~globex:*

    Holds:
        ACL SETUSER acme resetkeys ~acme:*

    Source:
        https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
    """

    def removes(filling: Filling, place: int) -> bool:
        told = keyed.flags(filling, place)
        taken = "RM" in told or ("delete" in told and bool(told & {"RW", "OW"}))
        return not keyed.several(filling) and taken

    yield from keyed.attempts(scene, removes)
