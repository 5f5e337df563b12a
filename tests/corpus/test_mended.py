"""Every leaky case whose fix is mechanical: applied, its breach is gone and the controls hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from partywall.survey.configuration import load
from partywall.survey.mending.trial import apply, propose, surveyed
from tests.corpus.surveyed import toml
from tests.corpus.truth import find_cases, loaded

if TYPE_CHECKING:
    from tests.corpus.truth import Case, Server

HERE = Path(__file__).parent
LEAKY = [c for folder in ("given", "own") for c in find_cases(HERE / folder) if c.truth["leak"]]
BY_HAND = {
    "039-jwt-user-metadata",
    "072-notify-broadcast",
    "075-large-objects",
    "081-rewrite-rule-bypass",
    "087-schema-shared-public-table",
    "090-schema-role-membership",
    "096-schema-cross-view",
    "210-admin-flag-setting",
    "218-membership-captured-column",
    "219-membership-revoked-counts",
    "220-materialized-view",
    "225-definer-dynamic-sql-injection",
    "226-definer-exists-oracle",
    "227-definer-count-all",
    "231-switch-tenant-unchecked",
    "232-audit-log-shared",
    "239-exclusion-without-tenant",
    "240-identity-shared",
    "249-activity-shared-login",
    "252-notify-on-update",
    "253-large-object-unlink",
    "254-foreign-table-privileged",
    "255-dblink-unrestricted",
    "256-outbox-shared",
    "258-rule-deletes",
    "259-trigger-writes-by-number",
    "268-jwt-claim-coalesce",
    "275-schema-default-of-other-sequence",
    "276-schema-cloned-trigger",
    "281-membership-update-org",
    "285-schema-union-view",
    "286-database-foreign-table",
}
"""What takes a person: which row is whose, what a view or a function is meant to show."""


def mended(case: Case, server: Server, file: Path) -> tuple[bool, list[str]]:
    """Mend a loaded case as `partywall fix --apply` does; whether it could, and what is wrong then.

    What had a repair must be gone, what tenants could do with their own must be as before, and
    nothing new may be found.

    Args:
        case: loaded into *server*.
        server: where it stands.
        file: gets its configuration.

    Raises:
        TargetError: the server refuses the migration that it took on the copy.
    """
    file.write_text(toml(case, server))
    configuration = load(file)
    proposal = propose(configuration)
    plan = proposal.migration
    if not plan.mends:
        return False, []
    apply(configuration, plan.mends)
    after, _ = surveyed(configuration)
    known = {(f.name, f.at, f.effect) for f in (*plan.unmended, *proposal.remaining)}
    left = {(f.name, f.at, f.effect) for f in after.report.findings} - known
    lost = proposal.before.access - after.access
    wrong = [f"still there: {one}" for one in sorted(left)]
    return True, wrong + [f"lost: {one}" for one in sorted(lost)]


@pytest.mark.parametrize("case", LEAKY, ids=lambda case: case.name)
def test_it_is_mended(case: Case, postgres15: Server, tmp_path: Path) -> None:
    with loaded(case, postgres15):
        mechanical, wrong = mended(case, postgres15, tmp_path / "partywall.toml")
    assert not wrong, "\n".join(wrong)
    assert mechanical == (case.name not in BY_HAND)
