"""What a survey of an object store is told: ``[objects]``, and each tenant's credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError
from partywall.survey.configuration import of_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.declared import Table

SECRETS = frozenset({"access_key", "secret_key", "session_token"})
KEYS = SECRETS | {"url", "bucket", "region", "make", "link"}
TENANT_KEYS = SECRETS | {"bucket", "prefix"}


@dataclass(frozen=True, slots=True)
class Secret:
    """Credentials as S3 takes them; empty for nobody's."""

    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ObjectsLogin:
    """How one tenant's code reaches the store; *prefix* is what its keys begin with."""

    name: str
    secret: Secret
    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class ObjectsSettings:
    """All that a survey of an object store is told.

    Attributes:
        secret: an administrator's: plants objects, and removes them.
        make, link: operations of the application: ``POST /files``, ``GET /files/{id}/link``.
    """

    url: str
    region: str
    secret: Secret
    tenants: Mapping[str, ObjectsLogin]
    make: str = ""
    link: str = ""
    attacker: str = "query"


def load(whole: Table) -> ObjectsSettings | None:
    """Read ``[objects]`` and ``[tenants.NAME.objects]``; None where there is no ``[objects]``.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    if "objects" not in whole.values:
        return None
    table = whole.table("objects").only(KEYS)
    told = of_layer(whole, "objects", TENANT_KEYS)
    tenants = {name: _login(name, entry, table.text("bucket", "")) for name, entry in told.items()}
    url = table.text("url", "")
    if tenants and not url.startswith(("http://", "https://")):
        raise ConfigurationError('[objects] needs url = "https://…", the address of the store')
    _distinct(tenants)
    link = table.text("link", "")
    if link and "{id}" not in link:
        raise ConfigurationError('[objects] link needs {id} in its path: "GET /files/{id}/link"')
    return ObjectsSettings(
        url.rstrip("/"), table.text("region", "us-east-1"), _secret(table), tenants,
        table.text("make", ""), link, whole.table("survey").text("attacker", "query"),
    )  # fmt: skip


def _login(name: str, table: Table, bucket: str) -> ObjectsLogin:
    bucket = table.text("bucket", bucket)
    if not bucket:
        raise ConfigurationError(f'{table.where} needs bucket = "…", or [objects] does')
    return ObjectsLogin(name, _secret(table), bucket, table.text("prefix", ""))


def _secret(table: Table) -> Secret:
    return Secret(*(table.text(name, "") for name in ("access_key", "secret_key", "session_token")))


def _distinct(tenants: Mapping[str, ObjectsLogin]) -> None:
    for one in tenants.values():
        for other in tenants.values():
            alike = one is not other and one.bucket == other.bucket
            if alike and other.prefix.startswith(one.prefix):
                raise ConfigurationError(
                    f"[tenants.{one.name}.objects] prefix {one.prefix!r} holds that of "
                    f"{other.name}, {other.prefix!r}: nothing could tell whose an object is"
                )
