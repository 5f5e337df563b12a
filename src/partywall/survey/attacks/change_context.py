"""PW257: A says that it is B, as the application would say it for B."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import look, victims
from partywall.survey.surfaces import marks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row


@attack("PW257", effect="read", level="context")
def change_context(scene: Scene) -> Iterator[Attempt]:
    """Enter B's tenant from A's own session, and read B's rows there.

    What B's sessions say to enter is said again by A, and each setting gets the value that it had
    in a session of B's: what SQL injected into A's request can do where it knows, or has seen,
    what others say. It holds where the context carries a proof that only the application can
    give and that no second transaction may use (`RowSecurity(sealed=True)`), and where each
    tenant has a login of its own.

    Affected:
        Whoever keeps the tenant in a setting, once SQL can be injected.

    Applications:
        one login, a login each

    Breaches:
        -- the application as it is: any SQL may set the setting that its policies read

    Holds:
        -- the application as it is: SQL can't change the login that it came in by

    Fix:
        Carry the tenant in something SQL can't forge: a sealed context, or a login for each
        tenant.

    Source:
        https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SET
    """
    b = scene.identities["B"]
    spoken = [Step("A", statement) for statement in b.enter if statement not in b.proof]
    copied = [
        Step("A", f"SELECT set_config({sql.literal(name)}, {sql.literal(value)}, true)")
        for name, value in b.settings
    ]
    if scene.identities["A"].login != b.login or not (spoken or copied):
        return
    for relation, held in victims(scene):
        yield _attempt(scene, relation, held, (*spoken, *copied))


def _attempt(scene: Scene, relation: Relation, held: Row, becoming: Sequence[Step]) -> Attempt:
    tokens = marks(scene, "B")

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[-1].shows(tokens):
            return Breach(f"{relation.qualified} shows B's rows to whoever says that it is B")
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(*becoming, look(scene, relation, held)),
        judge=judge,
        control=(look(scene, relation, held, "B"),),
        fix="carry the tenant in something SQL can't forge: a sealed context, or a login a tenant",
    )
