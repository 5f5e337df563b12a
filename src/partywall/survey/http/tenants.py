"""How the file says who asks an API, and where: each tenant's credentials, and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from partywall.errors import ConfigurationError
from partywall.survey.configuration import API_KEYS, LAYER_KEYS, LOGIN_KEYS
from partywall.survey.http.settings import Credentials, LogIn

if TYPE_CHECKING:
    from partywall.survey.declared import Table

RESERVED = frozenset({"nobody", "stranger"})


def credentials(name: str, entry: Table) -> Credentials:
    """What a table says that the API knows somebody by.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    entry.only(API_KEYS if name == "stranger" else API_KEYS | LOGIN_KEYS | LAYER_KEYS)
    if name in RESERVED and entry.where != f"[{name}]":
        raise ConfigurationError(f"{entry.where}: reports use the name {name} for somebody else")
    return Credentials(
        name,
        entry.pairs("headers"),
        entry.pairs("cookies"),
        entry.table("own").contents(),
        address(entry.text("base", ""), f"{entry.where} base"),
        _log_in(entry.table("login")) if "login" in entry.values else None,
    )


def _log_in(entry: Table) -> LogIn:
    entry.only({"request", "headers", "cookies", "own"})
    request = entry.table("request").only({"method", "path", "json", "form"})
    path = request.text("path")
    if not path.startswith(("/", "http://", "https://")):
        raise ConfigurationError(f'{request.where} path must begin with "/", as in "/log-in"')
    if "json" in request.values and "form" in request.values:
        raise ConfigurationError(f"{request.where} has json and form: a request has one body")
    return LogIn(
        request.text("method", "POST").upper(),
        path,
        request.value("json"),
        request.pairs("form") if "form" in request.values else None,
        entry.pairs("headers"),
        entry.pairs("cookies"),
        entry.pairs("own"),
    )


def address(text: str, where: str) -> str:
    """An address of an API without its last slash; "" is none.

    Raises:
        ConfigurationError: it is none; the message names *where* it stands.
    """
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ConfigurationError(f"{where} is no address of an API, as in http://127.0.0.1:8000")
    return text.rstrip("/")
