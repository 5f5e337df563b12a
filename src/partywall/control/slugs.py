"""Slugs: the names of tenants that people type, in addresses and on the command line."""

from __future__ import annotations

import re

from partywall.errors import InvalidRecord

SHAPE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
SHORTEST, LONGEST = 3, 40

RESERVED = frozenset(
    {
        "about", "abuse", "account", "accounts", "admin", "administrator", "api", "app", "apps",
        "assets", "auth", "autoconfig", "autodiscover", "beta", "billing", "blog", "broadcasthost",
        "cdn", "config", "console", "contact", "control", "dashboard", "data", "demo", "dev",
        "dns", "docs", "download", "email", "example", "files", "ftp", "graphql", "health", "help",
        "home", "host", "hostmaster", "id", "imap", "info", "internal", "invalid", "invite",
        "isatap", "jobs", "legal", "local", "localdomain", "localhost", "login", "logout", "mail",
        "media", "metrics", "monitor", "news", "noc", "null", "oauth", "openid", "operator",
        "owner", "partywall", "pay", "payment", "payments", "pop3", "postgres", "postmaster",
        "preview", "privacy", "prod", "production", "proxy", "public", "register", "root",
        "sales", "security", "server", "service", "services", "settings", "shop", "signin",
        "signup", "smtp", "ssl", "sso", "staging", "static", "statistics", "stats", "status",
        "store", "superuser", "support", "system", "team", "teams", "tenant", "tenants", "terms",
        "test", "testing", "tls", "undefined", "unknown", "upload", "user", "users", "web",
        "webhook", "webhooks", "webmail", "webmaster", "well-known", "wpad", "www", "www1", "www2",
    }
)  # fmt: skip
"""What stands for the application, its machines or its people: RFC 2142 has some of them, others
are names that browsers, mail programs and resolvers ask for by themselves."""

SYSTEM = ("pg-", "partywall-")
"""How a system's own names begin. A slug has no `xn--` anyhow: that is two hyphens."""

LOOKALIKES = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"))
"""What is taken for one another at a glance; one stands for both.
After https://www.unicode.org/reports/tr39/#Confusable_Detection, for what a slug can have."""


def slug(text: str) -> str:
    """*text* as the slug of a tenant.

    Raises:
        InvalidRecord: when it is none, or is kept for others.
    """
    if not (SHORTEST <= len(text) <= LONGEST and SHAPE.match(text)):
        raise InvalidRecord(
            f"a slug has {SHORTEST} to {LONGEST} small letters and digits of ASCII, with single "
            "hyphens inside: acme-tools"
        )
    if text.startswith(SYSTEM) or text.isdigit():
        raise InvalidRecord("this slug looks like a system's own name: choose another one")
    if skeleton(text) in SKELETONS:
        raise InvalidRecord("this slug is reserved, or looks like one that is: choose another one")
    return text


def skeleton(slug: str) -> str:
    """What a slug looks like: two of one skeleton are taken for one another.

    Without hyphens, so that `acme-tools` and `acmetools` are one.
    """
    seen = slug.replace("-", "")
    for pair, letter in LOOKALIKES:
        seen = seen.replace(pair, letter)
    return seen


SKELETONS = frozenset(map(skeleton, RESERVED))
