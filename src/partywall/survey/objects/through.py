"""Links to files that the application gives out: bent, and asked for without any credential."""

from __future__ import annotations

import re
import shlex
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

from partywall.survey.driven import Application, Driven
from partywall.survey.layers import Watch
from partywall.survey.objects.attacks import THROUGH, named
from partywall.survey.objects.links import Bent, Linked, spellings
from partywall.survey.recorded import Memory, Record
from partywall.survey.tally import Tally
from partywall.survey.trying import Trial

if TYPE_CHECKING:
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
    async with httpx.AsyncClient(timeout=LIMIT_S) as client:
        return await linked(settings, Application(drive), drive.target, client, watch)


async def linked(
    settings: ObjectsSettings,
    driving: Driving,
    base: str,
    client: httpx.AsyncClient,
    watch: Watch | None = None,
) -> LayerReport:
    """The same for any way to drive the application; *client* asks without credentials.

    Args:
        settings: which operations make a file, and give a link to it.
        driving: uses the application.
        base: its address, for links without a host.
        client: asks for links; it must not carry anybody's credentials.
        watch: hears of every attempt.
    """
    watch, tally = watch or Watch(), Tally()
    trial: Trial[Record] = Trial("objects", Memory(), watch, tally)
    if not (settings.make and settings.link):
        tally.left.append(
            'no links were bent: [objects] make = "POST /files" and link = "GET /files/{id}/link" '
            "say how they are given out"
        )
        return tally.report("objects", "the application", driving.tenants, {})
    given = Links(settings, driving, base, client)
    for attacker, victim in permutations(driving.tenants, 2):
        watch.stage(f"{attacker} bends links of {victim}")
        one = await given.direction(attacker, victim)
        if one is None:
            tally.left.append(f"{settings.link} gave {attacker} or {victim} no link")
            continue
        trial.run((attack, attack.plan(one)) for attack in named(THROUGH))
    return tally.report("objects", "the application", driving.tenants, {})


class Links:
    """Asks for links, and follows them."""

    def __init__(
        self, settings: ObjectsSettings, driving: Driving, base: str, client: httpx.AsyncClient
    ) -> None:
        self._settings, self._driving = settings, driving
        self._base, self._client = base, client

    async def direction(self, attacker: str, victim: str) -> Linked | None:
        """What links of the victim's answer, as they are and bent; None without links."""
        own, theirs = await self._link(attacker), await self._link(victim)
        if own is None or theirs is None:
            return None
        rightful = await self._follow(victim, "GET", theirs)
        bent = [
            Bent(way, attacker, await self._follow(attacker, "GET", link))
            for way, link in spellings(own, theirs)
        ]
        for method, effect in CHANGES.items():
            driven = await self._follow(attacker, method, theirs)
            after = await self._follow(victim, "GET", theirs)
            gone = not self._driving.marks(victim, after.text)
            bent.append(Bent(f"{method} of a link to read", attacker, driven, effect, gone))
        marks = partial(self._driving.marks, victim)
        return Linked(self._settings.link, victim, marks, rightful, tuple(bent))

    async def _link(self, tenant: str) -> str | None:
        """A link to a new file, as the application gives it: in its answer, or as a redirect."""
        made = await self._driving.make(tenant, self._settings.make)
        if made is None:
            return None
        method, _, path = self._settings.link.partition(" ")
        answer = await self._driving.send(tenant, method, path.replace("{id}", made.id))
        if location := answer.headers.get("location", ""):
            return urljoin(f"{self._base}/", location)
        if found := ADDRESS.search(answer.text.replace("\\u0026", "&")):
            return found[0]
        relative = PATH.search(answer.text)
        return urljoin(f"{self._base}/", relative[1]) if relative else None

    async def _follow(self, actor: str, method: str, link: str) -> Driven:
        """Ask for a link without any credential; what signs it stays out of reports."""
        del actor
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
