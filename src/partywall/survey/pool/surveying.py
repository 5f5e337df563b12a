"""The flow of a survey of a pool by its own address: leave, give back, take, look, take away."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError, Unreachable
from partywall.survey.entering import settings_in
from partywall.survey.layers import LayerReport, Tried, Watch
from partywall.survey.pool.attacks import every_attack
from partywall.survey.pool.attempt import Attempt, Carried, Seen, Sight, judge
from partywall.survey.pool.sessions import Pool, closed
from partywall.survey.sql import identifier, literal
from partywall.survey.verdict import Finding, Undecided, WitnessStep, explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.configuration import TenantSettings
    from partywall.survey.pool.attempt import Attack
    from partywall.survey.pool.sessions import Held
    from partywall.survey.pool.settings import PoolSettings

AT = "pool sessions"
NOBODY = "nobody"
ENDING_S = 10.0
"""So long a session may take to end whose connection is closed."""
ENOUGH = 2
"""So many sessions are enough where they end with their connection."""
ROLES = """
SELECT rolname FROM pg_roles
WHERE pg_has_role(session_user, oid, 'MEMBER') AND rolname <> session_user ORDER BY rolname
"""
TABLES = """
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'USAGE')
  AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1 LIMIT 40
"""
LOGIN = "SELECT session_user"
OF_ROLES = frozenset({"role", "session_authorization"})
SHOWN = 3
"""Of so many tables rows are looked for in a session that somebody else entered."""


def survey(settings: PoolSettings, watch: Watch) -> LayerReport:
    """Attack a pool by its own address; what is left in its sessions is taken away again.

    Raises:
        ConfigurationError: a tenant can't be entered at the pool as it is declared.
        Unreachable: nobody is let in there.
    """
    if not settings.url:
        left = "its own address: [pool] url says nothing, so sessions are not looked at"
        return LayerReport("pool", "", (), (), (), {}, (), 0, left=(left,))
    return asyncio.run(_Survey(settings, watch).run())


@dataclass
class _Survey:
    settings: PoolSettings
    watch: Watch
    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    undecided: list[Undecided] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    controls: Counter[str] = field(default_factory=Counter)
    logins: dict[str, str] = field(default_factory=dict)
    """Who each is to the server: a pool may log in as one for all."""

    def __post_init__(self) -> None:
        self.pool = Pool(self.settings.size, self.settings.wait_s)

    async def run(self) -> LayerReport:
        """Every attack, in both directions."""
        began = time.perf_counter()
        a, b = self.settings.tenants
        self.watch.stage("logging in")
        planned = []
        for leaver, other in ((a, b), (b, a)):
            sight = await self._sight(leaver, other)
            direct = [attack for attack in every_attack() if not attack.storms]
            planned += [(one, leaver, other, list(_plan(one, sight))) for one in direct]
        self.watch.planned(sum(len(attempts) for *_, attempts in planned))
        for attack, leaver, other, attempts in planned:
            self.watch.stage(attack.name)
            finder = self.settings.anonymous if attack.nobody else other
            assert finder is not None  # noqa: S101 - made where the url is read
            for attempt in attempts:
                await self._attempt(attack, attempt, leaver, finder)
            if not attempts:
                name = NOBODY if attack.nobody else other.name
                because = "nothing of that kind can be left by this login"
                self._record(Tried(AT, name, leaver.name, attack.name, "closed", because))
        version = self.pool.version
        return LayerReport(
            "pool",
            self.settings.target,
            tuple(self.findings.values()),
            tuple(dict.fromkeys(self.undecided)),
            tuple(self.tried),
            {name: self.controls[name] for name in ("proved", "failed")},
            (a.name, b.name),
            time.perf_counter() - began,
            left=tuple(dict.fromkeys(self.left)),
            versions={"postgresql": f"{int(version) // 10000}.{int(version) % 10000}"},
        )

    async def _sight(self, leaver: TenantSettings, other: TenantSettings) -> Sight:
        """What makes a session the leaver's, by the server's own word."""
        nobody = self.settings.anonymous
        assert nobody is not None  # noqa: S101 - made where the url is read
        [entered] = await self._one(leaver)
        try:
            self.logins[leaver.name] = await entered.run(LOGIN)
            if refused := await entered.through(_enter(leaver)):
                raise ConfigurationError(
                    f"[tenants.{leaver.name}] could not be entered at the pool: {refused}; look "
                    "at its url and enter"
                )
            looks = _looks(leaver) + [
                (f"rows of {table}", f"SELECT EXISTS (SELECT FROM {table})")
                for table in await entered.texts(TABLES)
            ]
            theirs = {look: await entered.asked(look) for _, look in looks}
            roles = await entered.texts(ROLES)
        finally:
            await entered.close()
        [fresh] = await self._one(nobody)
        try:
            self.logins[nobody.name] = await fresh.run(LOGIN)
            nobodys = {look: await fresh.asked(look) for look in theirs}
        finally:
            await fresh.close()
        carried = [
            Carried(name, look, theirs[look], _told(leaver, name, theirs[look]))
            for name, look in looks
            if theirs[look] not in {"", nobodys[look]}
        ]
        rows = [one for one in carried if one.name.startswith("rows of ") and one.value == "True"]
        others = [one for one in carried if not one.name.startswith("rows of ")]
        return Sight(
            leaver.name,
            other.name,
            f"pw{secrets.token_hex(4)}",
            tuple(roles),
            (*rows[:SHOWN], *others),
        )

    async def _one(self, who: TenantSettings) -> list[Held]:
        most, self.pool.most = self.pool.most, 1
        try:
            return await self.pool.hold(who)
        finally:
            self.pool.most = most

    async def _attempt(
        self, attack: Attack, attempt: Attempt, leaver: TenantSettings, finder: TenantSettings
    ) -> None:
        seen, still = await self._seen(attempt, leaver, finder)
        state, because = judge(attempt, seen)
        found = NOBODY if attack.nobody else finder.name
        who = (leaver.name, found) if attempt.attacker == "leaver" else (found, leaver.name)
        self.controls["proved" if seen.controlled else "failed"] += state != "closed"
        self._record(Tried(AT, *who, attack.name, state, because))
        if state == "undecided":
            told = f"{attempt.mode}, {who[0]} → {who[1]}: {because}"
            self.undecided.append(Undecided(attack.code, attack.name, attack.effect, AT, told))
        if state in {"breached", "undecided"} and still:
            self.left.append(
                f"{len(still)} sessions of the pool may hold still what was left there "
                f"({attempt.mode}): `RECONNECT` on PgBouncer's console makes new ones"
            )
        if state == "breached":
            said = (
                f"{found} was handed a session that {leaver.name} had had, with what was left "
                f"there: {attempt.mode}"
            )
            self.findings.setdefault(
                (attack.name, *who),
                Finding(
                    attack.code, attack.name, "pool", attack.effect, AT, *who,
                    tuple(_witness(attempt, leaver.name, found)), said, attack.fix,
                    explained(attack.name),
                ),
            )  # fmt: skip

    def _record(self, tried: Tried) -> None:
        self.tried.append(tried)
        self.watch.judged(tried)

    async def _seen(
        self, attempt: Attempt, leaver: TenantSettings, finder: TenantSettings
    ) -> tuple[Seen, set[int]]:
        """Leave it, as often as there are sessions; then look, in as many.

        Returns: what was seen, and the sessions from which it could not be taken away.
        """
        calm = await self._calm(attempt, finder)
        apart = self.logins[leaver.name] != self.logins[finder.name]
        dirty: set[int] = set()
        gone = False
        found: dict[int, str] = {}
        try:
            controlled, refused = await self._leave(attempt, leaver, dirty)
            if not refused:
                found = await self._find(attempt, finder)
            everywhere = frozenset(dirty)
            if dirty and dirty.isdisjoint(found) and not apart:
                gone = await self._gone(finder, dirty)
        finally:
            if gone:
                self.pool.most = min(self.pool.most, ENOUGH)
                dirty.clear()
            if attempt.unfinished:  # whoever looked has rolled it back
                dirty -= set(found)
            else:
                await self._take_away(attempt, leaver, dirty)
        return Seen(calm, everywhere, controlled, refused, found, gone, apart), dirty

    async def _calm(self, attempt: Attempt, finder: TenantSettings) -> str:
        [one] = await self._one(finder)
        try:
            await one.through(_enter(finder))
            return await one.run(attempt.look)
        finally:
            await one.close()

    async def _leave(
        self, attempt: Attempt, leaver: TenantSettings, dirty: set[int]
    ) -> tuple[bool, str]:
        """Leave it in every session; whether it was then seen, and what was refused."""
        held = await self.pool.hold(leaver, _enter(leaver))
        controlled, refusals = True, []
        try:
            for one in held:
                refused = await one.through(attempt.leave)
                seen = not attempt.heard and await one.run(attempt.look) == attempt.canary
                refusals += [refused] if refused and not seen else []
                if not refusals:
                    dirty.add(one.session)
                    await (one.cut() if attempt.unfinished else one.commit())
                    if attempt.heard:
                        seen = await one.told(attempt.canary)
                controlled = controlled and seen
        finally:
            await closed(one for one in held if not one.connection.closed)
        return controlled, next(iter(refusals), "")

    async def _find(self, attempt: Attempt, finder: TenantSettings) -> dict[int, str]:
        held = await self.pool.hold(finder, _enter(finder))
        try:
            return {one.session: await one.run(attempt.look) for one in held}
        finally:
            await closed(held)

    async def _gone(self, finder: TenantSettings, dirty: set[int]) -> bool:
        """Whether all those sessions have ended: with them, all that was left there."""
        numbers = ", ".join(map(str, dirty)) or "0"
        query = f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({numbers})"
        end = time.monotonic() + ENDING_S
        while True:
            [one] = await self._one(finder)
            try:
                there = await one.run(query)
            finally:
                await one.close()
            if there == "0" or time.monotonic() > end:
                return there == "0"
            await asyncio.sleep(0.05)

    async def _take_away(self, attempt: Attempt, leaver: TenantSettings, dirty: set[int]) -> None:
        """Take it away again where the pool did not; *dirty* keeps what is out of reach."""
        if not dirty:
            return
        try:
            held = await self.pool.hold(leaver)
        except Unreachable:
            return
        try:
            for one in held:
                if one.session in dirty:
                    await one.through(_resets(leaver))
                    await one.run("SAVEPOINT partywall")
                    if await one.through(attempt.undo):  # the pool has cleared it itself
                        await one.run("ROLLBACK TO SAVEPOINT partywall")
                    await one.commit()
                    dirty.discard(one.session)
        finally:
            await closed(held)


def _plan(attack: Attack, sight: Sight) -> Iterator[Attempt]:
    for one in attack.plan(sight):  # type: ignore[call-arg] # those that storm take none
        assert isinstance(one, Attempt)  # noqa: S101 - as above
        yield one


def _enter(who: TenantSettings) -> tuple[str, ...]:
    return (*who.enter, *who.prove)


def _told(leaver: TenantSettings, name: str, value: str) -> str:
    """What to say instead of a setting that tells more than whose the session is."""
    telling = name.startswith("the setting ") and value not in {leaver.id, leaver.name}
    return f"(what {leaver.name} had set)" if telling else ""


def _looks(leaver: TenantSettings) -> list[tuple[str, str]]:
    """What may say whose a session is, each with the query that tells it."""
    names = [n for n in settings_in(_enter(leaver)) if n not in OF_ROLES]
    told = [
        (f"the setting {name}", f"SELECT current_setting({literal(name)}, true)") for name in names
    ]
    return [*told, ("the role", "SELECT current_user::text")]


def _resets(leaver: TenantSettings) -> Iterator[str]:
    """Statements that undo what entering set for the session."""
    for name in settings_in(_enter(leaver)):
        words = name.replace("_", " ").upper() if name in OF_ROLES else ""
        yield f"RESET {words or '.'.join(map(identifier, name.split('.')))}"


def _witness(attempt: Attempt, leaver: str, finder: str) -> Iterator[WitnessStep]:
    """The steps as SQL; who enters how, the configuration says: it may hold a secret."""
    entered = "then its `enter` statements of partywall.toml"
    yield WitnessStep(leaver, "BEGIN", entered)
    yield from (WitnessStep(leaver, statement, "") for statement in attempt.leave)
    seen = attempt.told or attempt.canary
    if attempt.unfinished:
        yield WitnessStep(leaver, attempt.look, f"{seen}; then the connection is cut")
    else:
        yield WitnessStep(leaver, "COMMIT", "and the session goes back to the pool")
    yield WitnessStep(finder, "BEGIN", "" if finder == NOBODY else entered)
    yield WitnessStep(finder, attempt.look, seen)
