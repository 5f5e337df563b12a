"""The cache as the application uses it: watched while tenants' requests go through the API."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from partywall.survey.cache.observing import Watcher, observe
from partywall.survey.cache.surveying import versions
from partywall.survey.cache.wire import Wire, database, without_secret
from partywall.survey.driving.application import Application
from partywall.survey.layers import Watch
from partywall.survey.tally import Tally
from partywall.survey.trying import ADMINISTRATOR

if TYPE_CHECKING:
    from partywall.survey.cache.settings import CacheSettings
    from partywall.survey.driven import Driving
    from partywall.survey.driving.drive import Drive
    from partywall.survey.layers import LayerReport


async def survey(settings: CacheSettings, drive: Drive, watch: Watch | None = None) -> LayerReport:
    """Watch the cache while each tenant uses the application.

    Raises:
        TargetError: the cache can't be reached, or refuses the administrator.
    """
    return await watched(settings, Application(drive), watch)


async def watched(
    settings: CacheSettings, driving: Driving, watch: Watch | None = None
) -> LayerReport:
    """The same for any way to drive the application."""
    wire = Wire({ADMINISTRATOR: settings.url})
    tally = Tally()
    with closing(wire):
        version = versions(wire)
        await observe(Watcher(wire, database(settings.url)), driving, tally, watch or Watch())
    return tally.report("cache", without_secret(settings.url), driving.tenants, version)
