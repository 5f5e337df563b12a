"""PW902: another tenant's objects are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.objects.store import UPLOAD
from partywall.survey.objects.trials import attempts
from partywall.survey.trying import attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.objects.store import Request, Scene
    from partywall.survey.trying import Attempt


@attack(
    "PW902",
    effect="detect",
    fix="allow listing of one's own prefix only: `Condition: StringLike: s3:prefix: acme/*`",
)
def objects_listed(scene: Scene) -> Iterator[Attempt[Request]]:
    """List another tenant's objects, their versions, and what is being uploaded.

    Listing is an action on the bucket, so a policy on keys doesn't bind it. Names of files tell
    what they are, and uploads that go on can be written into.

    Affected:
        Whoever gives tenants' code credentials of an object store, its own or temporary ones.

    Breaches:
        acme: s3:ListBucket on files

    Holds:
        acme: s3:* on files/acme/*

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-iam.html
    """
    victim = scene.victim
    prefix = victim.login.prefix
    requests = {
        "list-objects-v2": victim.bucket("list_objects_v2", Prefix=victim.key),
        "list-objects": victim.bucket("list_objects", Prefix=victim.key),
        "list-objects-v2 of a prefix": victim.bucket("list_objects_v2", Prefix=prefix),
        "list-object-versions": victim.bucket("list_object_versions", Prefix=victim.key),
        "list-multipart-uploads": victim.bucket("list_multipart_uploads", Prefix=victim.key),
        "list-parts": victim.at("list_parts", UploadId=UPLOAD),
    }
    yield from attempts(scene, requests)
