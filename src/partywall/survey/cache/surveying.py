"""The flow of a survey of a cache: facts, keys of each tenant's own, attacks, and all removed."""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from partywall.survey.attack import Unclear
from partywall.survey.cache.attacks import direct
from partywall.survey.cache.calls import Call, uproot
from partywall.survey.cache.ground import Ground, keys_for
from partywall.survey.cache.keyless import untried
from partywall.survey.cache.settings import CacheLogin
from partywall.survey.cache.wire import Wire, as_login, database, nobodys, without_secret
from partywall.survey.layers import Watch
from partywall.survey.tally import Tally
from partywall.survey.trying import ADMINISTRATOR, NOBODY, Attack, Attempt, Step, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.scene import Scene
    from partywall.survey.cache.settings import CacheSettings
    from partywall.survey.layers import LayerReport
    from partywall.survey.trying import Outcome


def survey(
    settings: CacheSettings,
    watch: Watch | None = None,
    attacks: Sequence[Attack[Scene, Call]] | None = None,
) -> LayerReport:
    """Attack the cache as each tenant's login, by all attacks or some.

    Raises:
        TargetError: a server can't be reached, or refuses what a survey needs.
    """
    return Survey(settings, watch or Watch(), direct() if attacks is None else attacks).report()


class Survey:
    """One run over a cache."""

    def __init__(
        self, settings: CacheSettings, watch: Watch, attacks: Sequence[Attack[Scene, Call]]
    ) -> None:
        self._settings, self._watch, self._attacks = settings, watch, attacks
        self._run = secrets.token_hex(6)

    def report(self) -> LayerReport:
        """Run it."""
        settings = self._settings
        administrator = Wire({ADMINISTRATOR: settings.url})
        tally = Tally()
        with closing(administrator):
            version = versions(administrator)
            if settings.tenants:
                self._logins(administrator, tally)
            else:
                tally.left.append(
                    "no tenant has a login to the cache ([tenants.NAME.cache] url): what a login "
                    "may do there was not tried"
                )
        return tally.report("cache", without_secret(settings.url), settings.tenants, version)

    def _logins(self, administrator: Wire, tally: Tally) -> None:
        settings = self._settings
        keys = {name: keys_for(one, self._run) for name, one in settings.tenants.items()}
        logins = {name: _whoami(one) for name, one in settings.tenants.items()}
        own = keys_for(CacheLogin(ADMINISTRATOR, "", "partywall:", "partywall:"), self._run)
        self._watch.stage("asking the cache which commands it has")
        ground = Ground(administrator, self._run)
        try:
            scene = ground.prepared(logins, own)
            for attacker, victim in permutations(settings.tenants, 2):
                self._watch.stage(f"{attacker} attacks {victim} in the cache")
                one = replace(scene, attacker=keys[attacker], victim=keys[victim])
                self._direction(one, tally)
            for attacker, login in logins.items():
                if self._shared(logins, login):
                    continue
                other = next(one for name, one in keys.items() if name != attacker)
                allowed = ground.allowed(login, scene.commands, other.absent)
                for undecided in untried(scene, allowed):
                    tally.open(undecided)
        finally:
            administrator.do(ADMINISTRATOR, uproot(own))
            ground.clear()

    def _shared(self, logins: Mapping[str, str], login: str) -> bool:
        """Whether the attacker of this survey reaches it only through the application."""
        many = list(logins.values()).count(login) > 1
        return many and self._settings.attacker == "query"

    def _direction(self, scene: Scene, tally: Tally) -> None:
        settings, attacker, victim = self._settings, scene.attacker, scene.victim
        here, there = settings.tenants[attacker.owner], settings.tenants[victim.owner]
        apart = _server(here.url) != _server(there.url)
        if not apart and scene.logins[attacker.owner] == scene.logins[victim.owner]:
            tally.left.append(_one_login(scene, settings.attacker))
            if self._shared(scene.logins, scene.logins[victim.owner]):
                return
        wire = Wire({
            ADMINISTRATOR: as_login(there.url, settings.url),
            NOBODY: nobodys(there.url),
            attacker.owner: as_login(there.url, here.url),
            victim.owner: there.url,
        })  # fmt: skip
        given = {**scene.given, "db": database(there.url)}
        scene = replace(scene, given=given)
        trial: Trial[Call] = Trial("cache", wire, self._watch, tally)
        with closing(wire):
            if apart:
                trial.run([(LOG_IN, LOG_IN.plan(scene))])
                return
            try:
                trial.run((attack, attack.plan(scene)) for attack in self._attacks)
            finally:
                wire.do(ADMINISTRATOR, uproot(attacker, victim))


def versions(wire: Wire) -> Mapping[str, str]:
    """What the server calls itself, and its version."""
    told = str(wire.ask(ADMINISTRATOR, "INFO", "server"))
    lines = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    name = next((n for n in ("valkey", "dragonfly") if f"{n}_version" in lines), "redis")
    return {name: lines.get(f"{name}_version", "unknown")}


def _whoami(login: CacheLogin) -> str:
    with closing(Wire({login.name: login.url})) as wire:
        return str(wire.ask(login.name, "ACL", "WHOAMI"))


def _server(url: str) -> tuple[str, int, str]:
    parts = urlsplit(url)
    path = parts.path if parts.scheme == "unix" else ""
    return parts.hostname or "localhost", parts.port or 6379, path


def _one_login(scene: Scene, level: str) -> str:
    first, second = sorted((scene.attacker.owner, scene.victim.owner))
    told = (
        f"{first} and {second} log in to the cache as one user, {scene.logins[first]}: at the "
        "level of the login there is no wall, and whoever gets hold of it reads and changes all"
    )
    if level != "query":
        return told
    return (
        f'{told}. With attacker = "query" it is reached only through the application, and what '
        "that keeps there is what counts"
    )


def _log_in(scene: Scene) -> Iterator[Attempt[Call]]:
    """Where each has a server of its own: log in to the other's."""
    who, owner = scene.attacker.owner, scene.victim.owner
    ping = Call(("ACL", "WHOAMI"))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].refused:
            return None
        return Unclear(
            f"{owner}'s server lets {who} in: give the survey an administrator's address there"
        )

    yield Attempt("cache log-in", who, owner, (Step(who, ping),), judge, (Step(owner, ping),))


LOG_IN: Attack[Scene, Call] = Attack(
    "PW601", "values-of-another", "read", "give each tenant a login of its own", "", _log_in
)
"""Walls between servers are tried by what gets through the first of them."""
