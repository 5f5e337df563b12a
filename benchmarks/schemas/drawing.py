"""What a schema is drawn from: ways to be a tenant, kinds of columns, and names that hurt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from random import Random

Way: TypeAlias = Literal["setting", "claim", "membership", "role", "schema"]
WAYS: tuple[Way, ...] = ("setting", "claim", "membership", "role", "schema")

IDS = {
    "integer": ("1001", "1002"),
    "bigint": ("9007199254740993", "9007199254740994"),
    "uuid": ("a1111111-1111-4111-8111-111111111111", "b2222222-2222-4222-8222-222222222222"),
    "text": ("acme", "globex"),
}
USERS = ("c3333333-3333-4333-8333-333333333333", "d4444444-4444-4444-8444-444444444444")

WORDS = (
    "account", "address", "asset", "booking", "budget", "campaign", "comment", "contact", "deal",
    "document", "event", "expense", "folder", "goal", "invoice", "issue", "item", "job", "label",
    "lead", "message", "milestone", "note", "offer", "order", "page", "payment", "project", "quote",
    "report", "room", "shift", "site", "survey", "task", "ticket", "visit", "vendor", "wallet",
)  # fmt: skip
HOSTILE = (
    "select", "Order", "user", "has space", "it's", 'say "so"', "ünïcode", "日本", "😀", "a.b",
    "%s", "$1", "{0}", "back\\slash", "--", "x" * 63, "table", "123",
)  # fmt: skip
TENANT_COLUMNS = ("tenant_id", "org_id", "workspace", "Account Id", "company")


@dataclass(frozen=True, slots=True)
class Extra:
    """A further column of a table, with what belongs to it.

    Attributes:
        column: as CREATE TABLE has it; ``{t}`` is the tenant's column.
        constraint: a constraint of the table, "" for none.
    """

    column: str
    constraint: str = ""


EXTRAS = (
    Extra("status public.state NOT NULL DEFAULT 'draft'"),
    Extra("amount numeric(12, 2) CHECK (amount >= 0)"),
    Extra("contact public.mail"),
    Extra("tags text[] NOT NULL DEFAULT '{{}}'"),
    Extra("details jsonb NOT NULL DEFAULT '{{}}' CHECK (jsonb_typeof(details) = 'object')"),
    Extra("created_at timestamptz NOT NULL DEFAULT now()"),
    Extra("active boolean NOT NULL DEFAULT true"),
    Extra("due date, starts date", "CHECK (starts <= due)"),
    Extra("folded text GENERATED ALWAYS AS (lower(title)) STORED"),
    Extra("span daterange", "EXCLUDE USING gist ({t} WITH =, span WITH &&)"),
    Extra("code text", "UNIQUE ({t}, code)"),
    Extra("payload bytea, weight double precision DEFAULT 0"),
    Extra("country text REFERENCES public.countries (code)"),
    Extra("rank smallint NOT NULL DEFAULT 1 CHECK (rank BETWEEN 1 AND 5)"),
)


def quoted(name: str) -> str:
    """*name* as PostgreSQL prints it: quoted, and only where it has to be."""
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    if plain and name not in {"select", "order", "user", "table"}:
        return name
    return '"' + name.replace('"', '""') + '"'


def names(random: Random, count: int) -> list[str]:
    """*count* different names of tables, some of them hostile."""
    pool = [f"{word}{suffix}" for suffix in ("s", "_lines", "_log") for word in WORDS]
    random.shuffle(pool)
    hostile = random.sample(HOSTILE, k=min(len(HOSTILE), count // 8))
    found = [*hostile, *pool][:count]
    random.shuffle(found)
    return found
