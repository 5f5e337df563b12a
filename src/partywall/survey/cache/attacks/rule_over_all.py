"""PW610: a tenant's login rules over the server: its users, its settings, all of its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.cache.calls import Call
from partywall.survey.trying import ADMINISTRATOR, CLOSED, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.scene import Scene
    from partywall.survey.trying import Judge, Outcome

SETTING = "maxmemory-samples"
"""What is set to the value that it has."""


@attack(
    "PW610",
    effect="escalate",
    fix="take what is an administrator's from the login: `ACL SETUSER acme -@admin -@dangerous`",
)
def rule_over_all(scene: Scene) -> Iterator[Attempt[Call]]:
    """Make a login that may do everything, set a setting, close a client, empty a database.

    Each is run for real and harms nobody: the login that is made is off and removed, the setting
    keeps its value, the client is the survey's own, and what is emptied is a database without keys,
    in which a key is laid first. Permissions don't tell one database from another.

    Affected:
        Whoever gives tenants logins with `+@all`, or the default user, which may do everything.

    Breaches:
        ACL SETUSER acme +flushdb +select

    Holds:
        ACL SETUSER acme -@admin -@dangerous

    Source:
        https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
    """
    yield _login(scene)
    yield _setting(scene)
    yield _client(scene)
    yield _emptied(scene, scene.empty_database)


def _login(scene: Scene) -> Attempt[Call]:
    user = f"partywall-{scene.victim.run}"
    setting = Call(("ACL", "SETUSER", user, "off", "nopass", "+@all", "~*"))
    looking = Call(("ACL", "GETUSER", user))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        made, seen = outcomes
        if not made.ok:
            return None
        if "+@all" in seen.text.lower():
            return Breach("a tenant's login made another one that may do everything")
        return Unclear(
            "the server lets a tenant's login make others, and the one that it made was not seen: "
            "take it from the login (-acl|setuser)"
        )

    return _of(
        scene, "ACL SETUSER", (Step(scene.attacker.owner, setting),
                               Step(ADMINISTRATOR, looking, quiet=True)),
        judge, (Step(scene.victim.owner, setting),),
        (Step(ADMINISTRATOR, Call(("ACL", "DELUSER", user))),),
    )  # fmt: skip


def _setting(scene: Scene) -> Attempt[Call]:
    setting = Call(("CONFIG", "SET", SETTING, scene.given.get("samples", "5")))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].ok:
            return Breach("a tenant's login set a setting of the whole server", "disrupt")
        return None

    who, owner = scene.attacker.owner, scene.victim.owner
    return _of(scene, "CONFIG SET", (Step(who, setting),), judge, (Step(owner, setting),))


def _client(scene: Scene) -> Attempt[Call]:
    user = f"partywall-{scene.victim.run}-nobody"
    kill = Call(("CLIENT", "KILL", "USER", user))
    made = Call(("ACL", "SETUSER", user, "off"))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].ok:
            return Unclear(
                "the server lets a tenant's login close clients of others: take it from the login "
                "(-client|kill)"
            )
        return None

    who, owner = scene.attacker.owner, scene.victim.owner
    return _of(
        scene, "CLIENT KILL", (Step(who, kill),), judge, (Step(owner, kill),),
        (Step(ADMINISTRATOR, Call(("ACL", "DELUSER", user))),), (Step(ADMINISTRATOR, made),),
    )  # fmt: skip


def _emptied(scene: Scene, database: int | None) -> Attempt[Call]:
    """On a connection that was opened there: who may not go there empties no other."""
    victim, name = scene.victim, scene.victim.of["string"]

    def there(who: str, *words: str, quiet: bool = False) -> Step[Call]:
        return Step(who, Call(words, database=database), quiet)

    def flushed(who: str) -> tuple[Step[Call], ...]:
        asked = Call(("ACL", "DRYRUN", scene.logins.get(who, ""), "FLUSHDB"))
        told = Step(ADMINISTRATOR, asked, quiet=True)
        if database is None:
            return (told,)
        return (
            told,
            there(ADMINISTRATOR, "SET", name, victim.canary, quiet=True),
            there(who, "FLUSHDB"),
            there(ADMINISTRATOR, "GET", name),
        )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        may, *done = outcomes
        if done and done[1].ok and victim.canary not in done[2].text:
            return Breach("FLUSHDB removed every tenant's keys of a database", "destroy")
        if may.ok and may.text != "OK":
            return None
        return Unclear(
            "the server would let a tenant's login run FLUSHDB, and there is no database in which "
            "it could be run: take it from the login (-flushdb)"
        )

    def controlled(outcomes: Sequence[Outcome]) -> str:
        return CLOSED if outcomes[0].text != "OK" else ""

    who, owner = scene.attacker.owner, victim.owner
    return Attempt(
        at="cache FLUSHDB",
        attacker=who,
        victim=owner,
        effect="destroy",
        steps=flushed(who),
        judge=judge,
        control=flushed(owner),
        controlled=controlled,
        after=(there(ADMINISTRATOR, "DEL", name),) if database is not None else (),
    )


def _of(
    scene: Scene,
    way: str,
    steps: tuple[Step[Call], ...],
    judge: Judge,
    control: tuple[Step[Call], ...],
    after: tuple[Step[Call], ...] = (),
    before: tuple[Step[Call], ...] = (),
) -> Attempt[Call]:
    return Attempt(
        at=f"cache {way}",
        attacker=scene.attacker.owner,
        victim=scene.victim.owner,
        before=before,
        steps=steps,
        judge=judge,
        control=control,
        after=after,
    )
