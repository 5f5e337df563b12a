"""PW605: a value goes from one tenant's key into another's."""

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
    "PW605",
    effect="read",
    fix="let a login name only its own keys, in every place of a command: "
    "`ACL SETUSER acme resetkeys ~acme:*`",
)
def moved_values(scene: Scene) -> Iterator[Attempt[Call]]:
    """Copy, rename, merge or store between another tenant's keys and own ones, in both directions.

    A command with several keys is checked for each of them; so each place is tried with the
    victim's key, and own keys in all others: COPY and RENAME, LMOVE, the families of STORE, SORT
    with its patterns BY and GET, MIGRATE.

    Affected:
        Whoever gives logins patterns of keys that overlap, and reads of them with `%R~`.

    Breaches:
        ACL SETUSER acme %R~globex:*

    Holds:
        ACL SETUSER acme resetkeys ~acme:*

    Source:
        https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
    """

    def several(filling: Filling, place: int) -> bool:
        return keyed.several(filling) and place >= 0

    yield from keyed.attempts(scene, several)
