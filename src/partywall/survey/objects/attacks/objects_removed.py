"""PW904: another tenant's object is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.objects.store import UPLOAD, VERSION
from partywall.survey.objects.trials import attempts
from partywall.survey.trying import attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.objects.store import Request, Scene
    from partywall.survey.trying import Attempt


@attack(
    "PW904",
    effect="destroy",
    fix="bind each tenant's credentials to its own keys, in every action: "
    "`Resource: arn:aws:s3:::files/acme/*`",
)
def objects_removed(scene: Scene) -> Iterator[Attempt[Request]]:
    """Remove another tenant's object, a version of it, or an upload of its.

    Without versions what is removed is gone.

    Affected:
        Whoever gives tenants' code credentials of an object store, its own or temporary ones.

    Breaches:
        acme: s3:DeleteObject on files/*

    Holds:
        acme: s3:* on files/acme/*

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-iam.html
    """
    victim = scene.victim
    requests = {
        "delete-object": victim.at("delete_object"),
        "delete-objects": victim.bucket("delete_objects", Delete=victim.key),
        "delete-object of a version": victim.at("delete_object", VersionId=VERSION),
        "abort-multipart-upload": victim.at("abort_multipart_upload", UploadId=UPLOAD),
    }
    yield from attempts(scene, requests, changing=True)
