"""Plant rows for two synthetic tenants, so that there is something to steal."""

from partywall.survey.planting.planter import plant

__all__ = ["plant"]
