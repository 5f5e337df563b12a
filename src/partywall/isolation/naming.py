"""Physical names and quoting: what a tenant's schema, database, file or prefix is called.

A name is made of the tenant's immutable id, never of its slug, and can be read back to the id:
two ids never share a name. Lower-case letters and digits stay as they are, a hyphen becomes an
underscore, every other character becomes ``$`` and its code in hexadecimal, so that names are
also different where case is folded (files on some systems, unquoted identifiers).
"""

from __future__ import annotations

import re

from partywall.context import identified
from partywall.errors import ConfigurationError, MissingTenant

LONGEST = 63
"""Bytes of an identifier that PostgreSQL keeps (NAMEDATALEN - 1); a longer one it would cut."""

PREFIX = re.compile(r"[a-z][a-z0-9_]{0,15}\Z")
NAME = re.compile(r"(?:[a-z0-9_]|\$[0-9a-f]{2})+\Z")


def physical_name(tenant: object, prefix: str = "t_") -> str:
    """What the tenant's schema, database, role or file is called.

    Raises:
        MissingTenant: when *tenant* is no id, or one whose name would be longer than 63 bytes:
            names are never cut.
        ConfigurationError: when *prefix* is not lower-case ASCII, or begins like a system's name.
    """
    if not PREFIX.match(prefix) or prefix.startswith("pg_"):
        raise ConfigurationError(
            f"{prefix!r} can't begin the names of tenants: use up to 16 lower-case letters, digits "
            'and underscores, and not "pg_"'
        )
    name = prefix + "".join(encoded(character) for character in identified(tenant))
    if len(name) > LONGEST:
        raise MissingTenant(
            f"the physical name of this tenant would take {len(name)} bytes and PostgreSQL would "
            f"cut it at {LONGEST}: give tenants ids of at most 36 characters, a UUID for instance"
        )
    return name


def encoded(character: str) -> str:
    """One character of an id as it stands in a physical name."""
    if character.islower() or character.isdigit():
        return character
    return "_" if character == "-" else f"${ord(character):02x}"


def tenant_of(name: str, prefix: str = "t_") -> str | None:
    """The id of the tenant that is called *name*; None when no tenant is."""
    body = name.removeprefix(prefix)
    if body == name or not NAME.match(body):
        return None
    text = body.replace("_", "-")
    found = re.sub(r"\$([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), text)
    try:
        return found if physical_name(found, prefix) == name else None
    except MissingTenant:
        return None


def identifier(name: str) -> str:
    """*name* quoted as an identifier.

    Raises:
        ConfigurationError: when it is empty, contains a NUL, or is longer than PostgreSQL keeps.
    """
    if not name or "\0" in name or len(name.encode()) > LONGEST:
        raise ConfigurationError(f"{name!r} is no identifier: 1 to {LONGEST} bytes without NUL")
    return '"' + name.replace('"', '""') + '"'


def qualified(name: str) -> str:
    """A name such as ``public.orders`` quoted part by part."""
    return ".".join(identifier(part) for part in name.split("."))


def literal(text: str) -> str:
    """*text* as a string literal, read alike whatever `standard_conforming_strings` says.

    Raises:
        ConfigurationError: when it contains a NUL, which no text of PostgreSQL may.
    """
    if "\0" in text:
        raise ConfigurationError("text with a NUL byte can't be a literal")
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted
