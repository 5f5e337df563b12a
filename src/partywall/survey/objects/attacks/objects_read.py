"""PW901: another tenant's object is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.objects.store import VERSION
from partywall.survey.objects.trials import attempts
from partywall.survey.trying import attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.objects.store import Request, Scene
    from partywall.survey.trying import Attempt


@attack(
    "PW901",
    effect="read",
    fix="bind each tenant's credentials to its own keys, in every action: "
    "`Resource: arn:aws:s3:::files/acme/*`",
)
def objects_read(scene: Scene) -> Iterator[Attempt[Request]]:
    """Read another tenant's object: its content, its head, its tags and rights, by a copy too.

    The actions of a policy are many, and each has its own: an object that can't be got may still be
    copied into a key of one's own, or be described by its tags.

    Affected:
        Whoever gives tenants' code credentials of an object store, its own or temporary ones.

    Breaches:
        acme: s3:GetObject on files/*

    Holds:
        acme: s3:* on files/acme/*

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-iam.html
    """
    victim, attacker = scene.victim, scene.attacker
    source = f"{victim.login.bucket}/{victim.key}"
    requests = {
        "get-object": victim.at("get_object"),
        "head-object": victim.at("head_object"),
        "get-object of a version": victim.at("get_object", VersionId=VERSION),
        "get-object-tagging": victim.at("get_object_tagging"),
        "get-object-acl": victim.at("get_object_acl"),
        "copy-object": attacker.at("copy_object", attacker.copy, CopySource=source),
    }
    own = {**requests, "copy-object": victim.at("copy_object", victim.copy, CopySource=source)}
    yield from attempts(scene, requests, own=own)
