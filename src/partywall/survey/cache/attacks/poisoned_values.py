"""PW603: what another tenant will read is changed."""

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
    "PW603",
    effect="write",
    fix="let a login write only its own keys: `ACL SETUSER acme resetkeys ~acme:*`; `%R~` before "
    "a pattern lets it read alone",
)
def poisoned_values(scene: Scene) -> Iterator[Attempt[Call]]:
    """Write into another tenant's keys by every command of the server that writes into one.

    A session, a price, a permission that is kept in a cache is believed by whoever reads it. The
    proof is what the administrator sees in the victim's keys before and after.

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

    def writes(filling: Filling, place: int) -> bool:
        told = keyed.flags(filling, place)
        return not keyed.several(filling) and bool(told & {"RW", "OW"}) and "delete" not in told

    yield from keyed.attempts(scene, writes)
