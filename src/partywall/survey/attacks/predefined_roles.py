"""PW244: membership in a built-in role that reaches past tables, to files, programs, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import BUILT, taking, temporary
from partywall.survey.mending.privileges import parted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Effect, Judgement, Outcome, Scene


@dataclass(frozen=True, slots=True)
class Power:
    """What a built-in role gives, and a harmless statement that shows it.

    Attributes:
        source: what COPY … FROM reads to prove it, "" where only membership is asked for.
    """

    effect: Effect
    gives: str
    source: str = ""


POWERS = {
    "pg_read_server_files": Power(
        "read",
        "reads every file that the server can, the data of all tenants and exports among them",
        "'PG_VERSION'",
    ),
    "pg_execute_server_program": Power(
        "read",
        "runs any program as the server's own user, which reads and changes every database",
        f"PROGRAM 'echo {BUILT}'",
    ),
    "pg_write_server_files": Power(
        "write", "overwrites any file of the server, its configuration and data included"
    ),
    "pg_read_all_stats": Power("read", "sees the statements of every session, values included"),
    "pg_monitor": Power("read", "sees the statements of every session, values included"),
    "pg_signal_backend": Power("disrupt", "cancels the statements and sessions of every tenant"),
    "pg_maintain": Power("disrupt", "locks and rebuilds every table: others wait as long"),
}


@attack("PW244", effect="read", level="sql")
def predefined_roles(scene: Scene) -> Iterator[Attempt]:
    """Use membership in the built-in roles that no policy and no grant holds back.

    Files and programs of the server, other sessions' statements, other sessions themselves.
    What `pg_read_all_data` and `pg_write_all_data` give are privileges on tables: the attacks on
    rows meet those. A program is run on a copy only, and it is `echo`.

    Affected:
        Applications whose login imports files, is watched by a monitor, or was given what its
        administrator has.

    Breaches:
        GRANT pg_read_server_files TO app;

    Holds:
        GRANT pg_read_server_files TO keeper;

    Fix:
        Take the membership from the login.

    Source:
        https://www.postgresql.org/docs/current/predefined-roles.html
    """
    for name, power in POWERS.items():
        take = taking(scene, name)
        if take is not None and not _superuser(scene):
            yield _attempt(scene, name, power, take)


def _superuser(scene: Scene) -> bool:
    """Whether A's role is a superuser: then the attacks on rows say all there is to say."""
    return scene.snapshot.roles[scene.identities["A"].role].superuser


def _attempt(scene: Scene, name: str, power: Power, take: tuple[Step, ...]) -> Attempt:
    ask = Step("A", f"SELECT pg_has_role({sql.literal(name)}, 'USAGE')")
    harmless = "PROGRAM" not in power.source or scene.place == "copy"
    show: tuple[Step, ...] = ()
    if power.source and temporary(scene) and harmless:
        show = (
            Step("A", f"CREATE TEMP TABLE {BUILT} (line text)"),
            Step("A", f"COPY {BUILT} FROM {power.source}"),
            Step("A", f"SELECT line FROM {BUILT}"),
        )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        shown = not show or bool(outcomes[-1].rows)
        if outcomes[len(take)].scalar == "t" and shown:
            return Breach(f"a member of {name} {power.gives}")
        return None

    return Attempt(
        at=f"role {name}",
        attacker="A",
        steps=(*take, ask, *show),
        judge=judge,
        effect=power.effect,
        repair=lambda: parted(scene, name),
    )
