"""Links to files that the application gives out: bent, and asked for without any credential."""

from __future__ import annotations

import re
import shlex
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

from partywall.survey.driven import Driven
from partywall.survey.driving.application import Application
from partywall.survey.http.wire import host_of
from partywall.survey.layers import Watch
from partywall.survey.objects.attacks import THROUGH, named
from partywall.survey.objects.links import Bent, Linked, spellings
from partywall.survey.recorded import Memory, Record
from partywall.survey.tally import Tally
from partywall.survey.trying import Trial
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Collection

    from partywall.survey.attack import Effect
    from partywall.survey.driven import Driving
    from partywall.survey.driving.drive import Drive
    from partywall.survey.layers import LayerReport
    from partywall.survey.objects.settings import ObjectsSettings

ADDRESS = re.compile(r"https?://[^\s\"'<>\\]+")
PATH = re.compile(r"\"(/[^\s\"'<>\\]*)\"")
LIMIT_S = 10
CHANGES: dict[str, Effect] = {"PUT": "write", "DELETE": "destroy"}


async def survey(
    settings: ObjectsSettings, drive: Drive, watch: Watch | None = None
) -> LayerReport:
    """Bend the links that the application gives each tenant."""
    hosts = drive.world.wire.hosts
    async with httpx.AsyncClient(timeout=LIMIT_S, trust_env=False) as client:
        return await linked(settings, Application(drive), drive.target, client, watch, hosts)


async def linked(
    settings: ObjectsSettings,
    driving: Driving,
    base: str,
    client: httpx.AsyncClient,
    watch: Watch | None = None,
    hosts: Collection[str] = (),
) -> LayerReport:
    """The same for any way to drive the application; *client* asks without credentials.

    Args:
        settings: which operations make a file, and give a link to it.
        driving: uses the application.
        base: its address, for links without a host.
        client: asks for links; it must not carry anybody's credentials.
        watch: hears of every attempt.
        hosts: where links may lead, besides to the application and to the store.
    """
    watch, tally = watch or Watch(), Tally()
    trial: Trial[Record] = Trial("objects", Memory(), watch, tally)
    if not (settings.make and settings.link):
        tally.left.append(
            'no links were bent: [objects] make = "POST /files" and link = "GET /files/{id}/link" '
            "say how they are given out"
        )
        return tally.report("objects", "the application", driving.tenants, {})
    given = Links(settings, driving, base, client, hosts)
    [attack] = named(THROUGH)
    for attacker, victim in permutations(driving.tenants, 2):
        watch.stage(f"{attacker} bends links of {victim}")
        one = await given.direction(attacker, victim)
        if isinstance(one, str):
            at = f"objects link of {settings.link}"
            tally.open(Undecided(attack.code, attack.name, attack.effect, at, one))
        else:
            trial.run([(attack, attack.plan(one))])
    return tally.report("objects", "the application", driving.tenants, {})


class NoLinkError(Exception):
    """The application gives no link, or none that may be followed."""


class Links:
    """Asks for links, and follows them: to the application, the store, and declared hosts."""

    def __init__(
        self,
        settings: ObjectsSettings,
        driving: Driving,
        base: str,
        client: httpx.AsyncClient,
        hosts: Collection[str],
    ) -> None:
        self._settings, self._driving = settings, driving
        self._base, self._client = base, client
        self._hosts = {host_of(one) for one in (base, settings.url) if one} | set(hosts)

    async def direction(self, attacker: str, victim: str) -> Linked | str:
        """What links of the victim's answer, as they are and bent; else why there is nothing."""
        try:
            own, theirs = await self._link(attacker), await self._link(victim)
            rightful = await self._follow("GET", theirs)
            bent = [
                Bent(way, attacker, await self._follow("GET", link))
                for way, link in spellings(own, theirs)
            ]
            for method, effect in CHANGES.items():
                bent.append(await self._changing(method, effect, attacker, victim))
        except NoLinkError as error:
            return str(error)
        marks = partial(self._driving.marks, victim)
        return Linked(self._settings.link, victim, marks, rightful, tuple(bent))

    async def _changing(self, method: str, effect: Effect, attacker: str, victim: str) -> Bent:
        """Another method of a link to a file of its own, so that it alone has changed that file.

        Its owner follows it twice before: of a link that answers once nothing could be told.
        """
        theirs = await self._link(victim)
        await self._follow("GET", theirs)
        before = await self._follow("GET", theirs)
        driven = await self._follow(method, theirs)
        after = await self._follow("GET", theirs)
        return Bent(f"{method} of a link to read", attacker, driven, effect, (before, after))

    async def _link(self, tenant: str) -> str:
        """A link to a new file, as the application gives it: in its answer, or as a redirect.

        Raises:
            NoLinkError: there is none, or it leads to a host that isn't declared.
        """
        made = await self._driving.make(tenant, self._settings.make)
        if made is None:
            raise NoLinkError(f"{self._settings.make} made no file for {tenant}")
        method, _, path = self._settings.link.partition(" ")
        answer = await self._driving.send(tenant, method, path.replace("{id}", made.id))
        text = answer.text.replace("\\u0026", "&")
        location = answer.headers.get("location", "")
        found: list[str] = (
            [urljoin(f"{self._base}/", location)] if location else ADDRESS.findall(text)
        )
        found += [urljoin(f"{self._base}/", path) for path in PATH.findall(text)]
        if not found:
            raise NoLinkError(f"{self._settings.link} gave {tenant} no link")
        if (link := next(filter(self._declared, found), None)) is None:
            host = host_of(found[0])
            raise NoLinkError(
                f"{self._settings.link} gave {tenant} a link to {host}, which isn't declared; if "
                f'it may be attacked: [api] hosts = ["{host}"]'
            )
        return link

    def _declared(self, link: str) -> bool:
        """Whether it may be attacked; a store serves each bucket by a name below its own, too."""
        host = host_of(link)
        below = (host.partition(".")[2],) if self._settings.url else ()
        return any(
            one in self._hosts for at in (host, *below) for one in (at, at.partition(":")[0])
        )

    async def _follow(self, method: str, link: str) -> Driven:
        """Ask for a link without any credential; what signs it stays out of reports."""
        try:
            answer = await self._client.request(method, link)
        except httpx.HTTPError as error:
            return Driven(_command(method, link), 0, f"no answer: {error}", {})
        return Driven(_command(method, link), answer.status_code, answer.text, {})


def _command(method: str, link: str) -> str:
    parts = urlsplit(link)
    bare = f"{parts.scheme}://{parts.netloc}{parts.path}"
    target = f'"{bare}?$LINK_QUERY"' if parts.query else shlex.quote(bare)
    return f"curl -sS -i -X {method} {target}"
