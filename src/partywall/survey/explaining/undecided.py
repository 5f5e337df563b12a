"""What a report can leave undecided beside the attacks themselves: why, and what decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from partywall.survey.layers import CACHE_UNTRIED, JOBS_UNTRIED, UNSURVEYED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.attack import Effect


class Open(NamedTuple):
    """One way to stay undecided; the fix is what decides it."""

    code: str
    name: str
    effect: Effect
    summary: str
    hazard: str
    affected: str
    fix: str
    source: str


DOCS = "https://www.postgresql.org/docs/current/"
DATABASE: Sequence[Open] = (
    Open(
        "PW200",
        "plant-rows",
        "read",
        "No row could be put where the attacks look for it.",
        "An attack that finds nothing proves nothing where nothing was to be found. So a table "
        "without a row of both tenants is undecided, and so is a whole database in which the "
        "application's role reaches no table.",
        "Whoever has constraints, triggers or types that a made-up row can't satisfy, or surveys "
        "with `--read-only`.",
        "Read the reason: it holds what the server said. Where only real rows will do, put two "
        "tenants' rows there and survey with `--on target`; without `--read-only` all attacks are "
        "made.",
        f"{DOCS}ddl-constraints.html",
    ),
    Open(
        "PW299",
        "no-attack",
        "read",
        "A surface that a tenant's session reaches, and that no attack has tried.",
        "A new kind of thing, a foreign table or a function whose arguments nothing can be made "
        "up for, must not slip by in silence: what was not tried is not held.",
        "Whoever grants the application more than plain tables, views and functions.",
        "Take the right to it from the application's login; declare a table without tenants' rows "
        "in `[model] shared`; or judge it yourself and keep it in a baseline.",
        f"{DOCS}ddl-priv.html",
    ),
    Open(
        "PW400",
        "all-tenants",
        "read",
        "A tenant, or a surface, that a survey of every tenant could not decide.",
        "With `--all-tenants` each tenant attacks all others, and the rows are those that are "
        "there. A tenant without one of its own has nothing to lose there, and nothing to be "
        "proven by; one that can't log in had no turn.",
        "Whoever surveys every tenant of a running installation.",
        "Read the reason: it names the tenants, and what the server said. Where tenants merely "
        "have no rows yet, a survey of a copy decides by planted ones.",
        f"{DOCS}ddl-rowsecurity.html",
    ),
)
API: Sequence[Open] = (
    Open(
        "PW300",
        "owners-own",
        "read",
        "The owner's own request, without which nothing there is proven, was not answered.",
        "A refusal is a wall only where the rightful tenant is let through. An operation that "
        "answers nobody says nothing about its walls.",
        "APIs with operations whose bodies, preconditions or states a probe can't guess.",
        "Read the reason: it holds the answer. Give what is missing as one of the tenant's `own` "
        "values, as an example in the description, or by a hook; or leave the operation out with "
        "`deny`, which the report says.",
        "https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/",
    ),
    Open(
        "PW300",
        "public",
        "read",
        "An operation answers anybody, and nobody has declared that it is meant so.",
        "A list of countries is meant for all, a list of invoices never. The answer alone doesn't "
        "tell which it is, so a person has to say it once.",
        "APIs with operations that take no credential.",
        "Ask for a credential there, or declare it: `[[public]]` with `operation`.",
        "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
    ),
    Open(
        "PW300",
        "shared",
        "read",
        "An operation shows what is one tenant's to another by default, undeclared.",
        "What others see unless its owner closes it may be what the application is for, and may be "
        "an oversight: the default is what most will keep.",
        "APIs whose objects have a visibility, or owners that share.",
        "Make the closed state the default, or declare it: `[[public]]` with `operation`.",
        "https://cwe.mitre.org/data/definitions/1188.html",
    ),
)
FURTHER: Sequence[Open] = (
    Open(
        *UNSURVEYED,
        "read",
        "A declared layer of which nothing can be said, since it could not be reached.",
        "A cache that is down while it is surveyed, an API that answers nothing: what was not "
        "tried is not held. All other layers are surveyed, and the whole is undecided.",
        "Whoever surveys several layers with `partywall survey`.",
        "Read the reason: it names the address and what was said there. Start what is missing, or "
        "leave the layer out with `--skip`, which the report says.",
        "https://github.com/partywall/partywall/blob/main/docs/how-to/survey.md",
    ),
    Open(
        *CACHE_UNTRIED,
        "disrupt",
        "A command of the cache's server that a tenant's login may run, and that no attack tries.",
        "The server says itself which commands it has, and which of them a login may run. What "
        "ends the server, empties all of it or makes it another's replica is not run to see "
        "whether it does.",
        "Whoever gives tenants' logins `+@all`, or commands of an administrator.",
        "Take the command from the login (`ACL SETUSER acme -shutdown`); or judge it yourself and "
        "keep it in a baseline.",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/",
    ),
    Open(
        *JOBS_UNTRIED,
        "read",
        "A table of the job engine that a tenant's login reads, and of which nobody knows what it "
        "holds.",
        "An engine's next version may keep something of a job in a table that this one doesn't "
        "have. What was not tried is not held.",
        "Whoever lets tenants' code reach the engine's tables.",
        "Take the right to it from the login; or judge it yourself and keep it in a baseline.",
        "https://www.postgresql.org/docs/current/ddl-priv.html",
    ),
)
