"""PW903: another tenant's object is overwritten."""

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
    "PW903",
    effect="write",
    fix="bind each tenant's credentials to its own keys, in every action: "
    "`Resource: arn:aws:s3:::files/acme/*`",
)
def objects_overwritten(scene: Scene) -> Iterator[Attempt[Request]]:
    """Write over another tenant's object, its tags and rights, and into an upload of its.

    Who can write can leave a file for another tenant's users to open, or open a file to all by its
    rights.

    Affected:
        Whoever gives tenants' code credentials of an object store, its own or temporary ones.

    Breaches:
        acme: s3:PutObject on files/*

    Holds:
        acme: s3:* on files/acme/*

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-iam.html
    """
    victim, attacker = scene.victim, scene.attacker
    requests = {
        "put-object": victim.at("put_object", Body=attacker.canary),
        "put-object-tagging": victim.at("put_object_tagging", Tagging=attacker.canary),
        "put-object-acl": victim.at("put_object_acl", ACL="public-read"),
        "upload-part": victim.at(
            "upload_part", UploadId=UPLOAD, PartNumber="1", Body=attacker.canary
        ),
    }
    yield from attempts(scene, requests, changing=True)
