"""A Redis with a login for each tenant, sound until an example changes it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from redis import Redis

from partywall.survey.cache.attacks import direct
from partywall.survey.cache.settings import CacheLogin, CacheSettings
from partywall.survey.cache.surveying import survey

if TYPE_CHECKING:
    from partywall.survey.layers import LayerReport

TENANTS = ("acme", "globex")
SOUND = (
    "ACL SETUSER {tenant} on >secret-{tenant} ~{tenant}:* resetchannels &{tenant}:* +@all -@admin "
    "-@dangerous -keys -scan -randomkey -dbsize -client|tracking -pubsub -function -script"
)


def executed(url: str, statements: str) -> None:
    """Run the statements of an example, one a line, as the administrator."""
    with Redis.from_url(url) as client:
        for line in filter(None, map(str.strip, statements.splitlines())):
            client.execute_command(*shlex.split(line))


def sound(url: str) -> None:
    for tenant in TENANTS:
        executed(url, SOUND.format(tenant=tenant))
    executed(url, "ACL SETUSER admin on nopass ~* &* +@all\nACL SETUSER default off")


def address(url: str, login: str) -> str:
    return url.replace("//", f"//{login}:secret-{login}@")


def settings(url: str, *, attacker: str = "query", **logins: str) -> CacheSettings:
    tenants = {
        name: CacheLogin(name, address(url, logins.get(name, name)), f"{name}:", f"{name}:")
        for name in TENANTS
    }
    return CacheSettings(address(url, "admin"), tenants, attacker)


def surveyed(url: str, statements: str, *only: str) -> LayerReport:
    """The report on a sound server that *statements* have changed, by all attacks or some."""
    sound(url)
    executed(address(url, "admin"), statements)
    return survey(settings(url), attacks=[one for one in direct() if not only or one.name in only])


def left(url: str) -> tuple[Any, ...]:
    """What stands on the server: keys of all databases, functions, users."""
    with Redis.from_url(address(url, "admin")) as client:
        return (
            client.info("keyspace"),
            client.execute_command("FUNCTION", "LIST"),
            sorted(client.acl_users()),
        )
