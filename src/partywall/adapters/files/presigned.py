"""Links that S3 itself answers: `Presigned`.

What a link is for is in its signature: key, method, end, for an upload the media type and the
size. S3 knows no tenants: a link that was made holds until its end, whatever becomes of its
tenant, so that the end is near by default.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from partywall.adapters.files.links import Form, Link, lasting
from partywall.adapters.files.s3 import S3
from partywall.errors import ConfigurationError, InvalidRecord

if TYPE_CHECKING:
    from partywall.adapters.files.links import Target
    from partywall.adapters.files.sealing import Sealing
    from partywall.adapters.files.store import Store

HALF_AN_HOUR_S = 1_800
WEEK_S = 604_800
"""What S3 allows at most."""

SIGNATURE = "s3v4"


class Presigned:
    """Links of the bucket's own; content goes past the application.

    Args:
        longest_s: for how long a link may hold at most.

    Raises:
        ConfigurationError: for longer than S3 allows.
    """

    def __init__(self, *, longest_s: int = HALF_AN_HOUR_S) -> None:
        if not 0 < longest_s <= WEEK_S:
            raise ConfigurationError(f"S3 takes links that hold for at most {WEEK_S} seconds")
        self._longest_s = longest_s

    def suit(self, store: Store, sealing: Sealing | None, *, watched: bool) -> None:
        """Hold to a bucket whose content isn't sealed.

        Raises:
            ConfigurationError: for another store, and where who comes past the application would
                get what is sealed, or leave what isn't.
        """
        del watched
        if not isinstance(store, S3):
            raise ConfigurationError("only S3 answers presigned links: give TenantFiles Links(…)")
        if sealing is not None:
            raise ConfigurationError(
                "who comes to the bucket past the application can't open what is sealed: give "
                "TenantFiles Links(…), which the application answers"
            )

    def download(self, store: Store, target: Target, lifetime_s: int) -> Link:
        """A link that reads a file, and has the browser save it."""
        params = {"ResponseContentDisposition": "attachment"}
        url, end = self._signed(store, "get_object", target, lifetime_s, params)
        return Link(url, "GET", {}, end)

    def upload(
        self, store: Store, target: Target, lifetime_s: int, content_type: str, size_bytes: int
    ) -> Link:
        """A link that writes a file of this type and exactly this size."""
        params = {"ContentType": content_type, "ContentLength": size_bytes}
        url, end = self._signed(store, "put_object", target, lifetime_s, params)
        headers = {"Content-Type": content_type, "Content-Length": str(size_bytes)}
        return Link(url, "PUT", headers, end)

    def form(
        self, store: Store, target: Target, lifetime_s: int, content_type: str, limit_bytes: int
    ) -> Form:
        """A form that writes a file of this type and at most this size.

        Raises:
            InvalidRecord: for a name with `${` in it: S3 puts what the browser says in its place.
        """
        if "${" in target.name:
            raise InvalidRecord("a form can't be made for a name with ${ in it")
        bucket, seconds = bound(store), lasting(lifetime_s, self._longest_s)
        end = int(time.time()) + seconds
        kind = {"Content-Type": content_type}
        made = bucket.client.generate_presigned_post(
            bucket.bucket,
            bucket.key(target.place, target.name),
            Fields=kind,
            Conditions=[kind, ["content-length-range", 0, limit_bytes]],
            ExpiresIn=seconds,
        )
        return Form(made["url"], made["fields"], end)

    def _signed(
        self, store: Store, operation: str, target: Target, lifetime_s: int, params: dict[str, Any]
    ) -> tuple[str, int]:
        bucket, seconds = bound(store), lasting(lifetime_s, self._longest_s)
        at = {"Bucket": bucket.bucket, "Key": bucket.key(target.place, target.name)}
        end = int(time.time()) + seconds
        url: str = bucket.client.generate_presigned_url(
            operation, Params=at | params, ExpiresIn=seconds
        )
        return url, end


def bound(store: Store) -> S3:
    """The bucket, once it signs with what binds all that a link says.

    Raises:
        ConfigurationError: for an older signature, or none.
    """
    assert isinstance(store, S3)  # noqa: S101 - `suit` has seen to it
    if store.client.meta.config.signature_version != SIGNATURE:
        raise ConfigurationError(
            f'presigned links need the signature "{SIGNATURE}": leave signature_version out'
        )
    return store
