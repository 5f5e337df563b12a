"""Links of our own: one file, one method, until a moment, and nobody else's.

A link is a token in the path of the application's own router. What it allows stands in it, with an
HMAC over all of it, so that a name, a tenant or a moment that was changed is another link, which
nobody has signed. Whether the tenant may still be entered is asked when the link is used.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from partywall.adapters.files.names import named, place_of
from partywall.adapters.signing import REFUSED, Signing
from partywall.context import identified
from partywall.errors import ConfigurationError, NotAuthenticated, TenantError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from partywall.adapters.files.sealing import Sealing
    from partywall.adapters.files.store import Store
    from partywall.context import TenantContext

Method = Literal["GET", "PUT"]

PURPOSE = "partywall file link 1"
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Target:
    """A file that a link is for: whose, where, called what.

    Attributes:
        tenant_id: the tenant.
        place: where its files are.
        name: of the file.
    """

    tenant_id: str
    place: str
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was made.

    Attributes:
        url: in it is all that is needed; who has it may do what it is for.
        method: `GET` or `PUT`.
        headers: what a request has to send with it, as it stands here.
        expires_at: when it ends, in seconds since 1970.
    """

    url: str = field(repr=False)
    method: Method
    headers: Mapping[str, str]
    expires_at: int


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a browser sends to the bucket.

    Attributes:
        url: its action.
        fields: its hidden fields; after them comes the file, as `file`.
        expires_at: when it ends, in seconds since 1970.
    """

    url: str
    fields: Mapping[str, str] = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link allows.

    Attributes:
        tenant_id: whose file it is.
        name: of the file.
        method: `GET` or `PUT`.
        content_type: of an upload.
        size_bytes: of an upload, exactly.
        expires_at: when it ends, in seconds since 1970.
    """

    tenant_id: str
    name: str
    method: Method
    content_type: str
    size_bytes: int
    expires_at: int


class Linking(Protocol):
    """Makes links: `Links`, which the application answers, or `Presigned`, which S3 does."""

    def suit(self, store: Store, sealing: Sealing | None, *, watched: bool) -> None:
        """Hold a store to what these links need.

        Raises:
            ConfigurationError: when they can't go together.
        """
        ...

    def download(self, store: Store, target: Target, lifetime_s: int) -> Link:
        """A link that reads a file."""
        ...

    def upload(
        self, store: Store, target: Target, lifetime_s: int, content_type: str, size_bytes: int
    ) -> Link:
        """A link that writes a file of exactly this size."""
        ...

    def form(
        self, store: Store, target: Target, lifetime_s: int, content_type: str, limit_bytes: int
    ) -> Form:
        """A form that writes a file of at most this size."""
        ...


class Links:
    """Links that the application itself answers, with `partywall.adapters.files.router`.

    Args:
        keys: at least 32 random bytes each; the first one signs, each of them verifies. The same
            in every process. To change it, put the new one first, and take the old one out when
            the last of its links has ended.
        base: where the router is: `https://app.example.com/files`.
        longest_s: for how long a link may hold at most.
        clock: seconds since 1970.

    Raises:
        ConfigurationError: for a key that is too short, or a base that is no address.
    """

    def __init__(
        self,
        *keys: bytes,
        base: str,
        longest_s: int = DAY_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not re.match(r"https?://[^\s?#]+\Z", base):
            raise ConfigurationError('Links(base=…) is where the router is: "https://…/files"')
        self._signing = Signing(keys, PURPOSE)
        self._base = base.rstrip("/")
        self._longest_s = longest_s
        self._clock = clock

    def __repr__(self) -> str:
        """Without the keys."""
        return f"Links(base={self._base!r})"

    def suit(self, store: Store, sealing: Sealing | None, *, watched: bool) -> None:
        """Hold to a directory: who comes with a link was let in by nobody.

        Raises:
            ConfigurationError: without one.
        """
        del store, sealing
        if not watched:
            raise ConfigurationError(
                "links outlive what they were made in, a suspension too: say who knows the "
                "tenants, TenantFiles(…, directory=plane.access)"
            )

    def download(self, store: Store, target: Target, lifetime_s: int) -> Link:
        """A link that reads a file."""
        del store
        return self._link(target, "GET", lifetime_s, "", 0, {})

    def upload(
        self, store: Store, target: Target, lifetime_s: int, content_type: str, size_bytes: int
    ) -> Link:
        """A link that writes a file."""
        del store
        headers = {"Content-Type": content_type, "Content-Length": str(size_bytes)}
        return self._link(target, "PUT", lifetime_s, content_type, size_bytes, headers)

    def form(
        self, store: Store, target: Target, lifetime_s: int, content_type: str, limit_bytes: int
    ) -> Form:
        """There is none.

        Raises:
            ConfigurationError: always.
        """
        del store, target, lifetime_s, content_type, limit_bytes
        raise ConfigurationError("only Presigned() makes forms: use upload_link, or your own route")

    def claim(self, token: str, method: Method) -> Claim:
        """What a token allows.

        Raises:
            NotAuthenticated: when it holds for nothing, no more, or the other method; never said
                which.
        """
        found = claimed(self._signing.payload(token))
        if found.method != method:
            raise NotAuthenticated(REFUSED)
        if not 0 < found.expires_at - self._clock() <= self._longest_s + 1:
            raise NotAuthenticated(REFUSED)
        return found

    def _link(
        self,
        target: Target,
        method: Method,
        lifetime_s: int,
        content_type: str,
        size_bytes: int,
        headers: Mapping[str, str],
    ) -> Link:
        end = int(self._clock()) + lasting(lifetime_s, self._longest_s)
        fields = [target.tenant_id, target.name, method, content_type, size_bytes, end]
        payload = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        return Link(f"{self._base}/{self._signing.token(payload)}", method, headers, end)


def target(context: TenantContext, name: str) -> Target:
    """The file of a tenant that a link is for.

    Raises:
        InvalidRecord: for a name that can't be.
    """
    return Target(context.tenant_id, place_of(context.tenant_id), named(name))


def lasting(lifetime_s: int, longest_s: int) -> int:
    """For how long a link holds.

    Raises:
        ConfigurationError: for nothing, or longer than it may.
    """
    if not 0 < lifetime_s <= longest_s:
        raise ConfigurationError(
            f"a link holds for 1 to {longest_s} seconds, not {lifetime_s}: see longest_s="
        )
    return int(lifetime_s)


def claimed(payload: bytes) -> Claim:
    """What was signed.

    Raises:
        NotAuthenticated: when it is not what this version signs.
    """
    try:
        tenant_id, name, method, content_type, size_bytes, end = json.loads(payload)
        return Claim(identified(tenant_id), name, method, content_type, int(size_bytes), int(end))
    except (ValueError, TypeError, TenantError):
        raise NotAuthenticated(REFUSED) from None
