"""PW905: objects are open to whoever knows their address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.objects.trials import attempts
from partywall.survey.trying import NOBODY, attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.objects.store import Request, Scene
    from partywall.survey.trying import Attempt


@attack(
    "PW905",
    effect="read",
    fix="block public access to the bucket, and give links that are signed",
)
def open_to_all(scene: Scene) -> Iterator[Attempt[Request]]:
    """Read, list, overwrite and remove a tenant's object without any credential.

    A bucket that serves a website, or whose policy names everybody (`Principal: *`), serves all of
    it.

    Affected:
        Whoever has made a bucket public so that browsers can fetch from it.

    Breaches:
        everybody: s3:GetObject on files/*

    Holds:
        everybody: nothing

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    victim = scene.victim
    at = "objects without a credential"
    reads = {
        "get-object": victim.at("get_object"),
        "list-objects-v2": victim.bucket("list_objects_v2", Prefix=victim.key),
    }
    yield from attempts(scene, reads, attacker=NOBODY, at=at)
    writes = {
        "put-object": victim.at("put_object", Body=scene.attacker.canary),
        "delete-object": victim.at("delete_object"),
    }
    yield from attempts(scene, writes, attacker=NOBODY, at=at, changing=True)
