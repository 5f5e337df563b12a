"""The flow of a survey of an object store: an object planted for each tenant, and attacks."""

from __future__ import annotations

import secrets
from contextlib import closing
from itertools import permutations
from typing import TYPE_CHECKING

from partywall.survey.layers import Watch
from partywall.survey.objects.attacks import THROUGH, without
from partywall.survey.objects.hand import Store
from partywall.survey.objects.settings import Secret
from partywall.survey.objects.store import Request, Scene, Thing
from partywall.survey.tally import Tally
from partywall.survey.trying import ADMINISTRATOR, NOBODY, Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.layers import LayerReport
    from partywall.survey.objects.settings import ObjectsSettings
    from partywall.survey.trying import Attack


def survey(
    settings: ObjectsSettings,
    watch: Watch | None = None,
    attacks: Sequence[Attack[Scene, Request]] | None = None,
) -> LayerReport:
    """Attack each tenant's objects by the others' credentials and by none, by all attacks or some.

    Raises:
        TargetError: the store can't be reached.
    """
    watch, tally = watch or Watch(), Tally()
    target = settings.url or "the application"
    if not settings.tenants:
        tally.left.append(
            "no tenant has credentials of the store ([tenants.NAME.objects]): what they allow was "
            "not tried"
        )
        return tally.report("objects", target, (), {})
    run = secrets.token_hex(6)
    logins = settings.tenants
    things = {n: Thing(one, run, f"pw{secrets.token_hex(8)}") for n, one in logins.items()}
    known = {ADMINISTRATOR: settings.secret, NOBODY: Secret()}
    store = Store(settings.url, settings.region, known | {n: o.secret for n, o in logins.items()})
    trial: Trial[Request] = Trial("objects", store, watch, tally)
    with closing(store):
        try:
            for attacker, victim in permutations(logins, 2):
                chosen = without(THROUGH) if attacks is None else attacks
                if logins[attacker].secret == logins[victim].secret:
                    tally.left.append(_one_login(*sorted((attacker, victim))))
                    if settings.attacker == "query":
                        chosen = [one for one in chosen if one.name == "open-to-all"]
                watch.stage(f"{attacker} attacks {victim}'s objects")
                scene = Scene(things[attacker], things[victim])
                trial.run((attack, attack.plan(scene)) for attack in chosen)
        finally:
            for thing in things.values():
                trial.clear(thing.cleared())
                if stays := store.forget(ADMINISTRATOR, thing):
                    tally.left.append(f"versions of {thing.key} may stay: {stays}")
    return tally.report("objects", target, logins, {})


def _one_login(first: str, second: str) -> str:
    return (
        f"{first} and {second} reach the store by one credential: at the level of the login there "
        "is no wall between their objects, and what the application lets them ask is what counts"
    )
